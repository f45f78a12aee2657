import { describe, expect, it } from 'vitest';
import { formatTable } from '../../src/report/table.js';

describe('formatTable', () => {
  it('aligns numbers to the right and text to the left, without blanks at the end', () => {
    const rows = [
      ['scrl_200ep', 70.3, '4 h'],
      ['byol', '-', '12 h'],
      ['random', 5.25],
    ];
    expect(formatTable(['run', 'top-1', 'time'], rows)).toBe(
      [
        'run         top-1  time',
        '----------  -----  ----',
        'scrl_200ep   70.3  4 h',
        'byol            -  12 h',
        'random       5.25',
      ].join('\n'),
    );
  });

  it.each(['1,234', '-0.5', '+3', '1e-5', '12 %', 'NaN', '-Infinity', '.5'])(
    'takes %s for a number',
    (cell) => {
      expect(formatTable(['a long name'], [[cell]]).split('\n')[2]).toBe(cell.padStart(11));
    },
  );

  it('counts wide letters as two columns', () => {
    expect(formatTable(['a', 'b'], [['日本', 1]]).split('\n')[2]).toBe('日本  1');
    expect(formatTable(['abcd', 'b'], [['日本', 1]]).split('\n')[2]).toBe('日本  1');
  });

  it('shows the header of an empty table', () => {
    expect(formatTable(['name', 'value'], [])).toBe('name  value\n----  -----');
  });

  it('refuses a row that is too long', () => {
    expect(() => formatTable(['a'], [['1', '2']])).toThrow('table: a row has 2 cells, but the header 1');
  });
});
