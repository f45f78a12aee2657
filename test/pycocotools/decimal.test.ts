import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { decimal, readDecimal } from '../../src/pycocotools/json/decimal.js';

function read(text: string): number | undefined {
  return readDecimal(Buffer.from(`${text},`), 0) && decimal.end === text.length ? decimal.value : undefined;
}

describe('readDecimal', () => {
  it.each([
    '0',
    '-0',
    '0.0',
    '7',
    '-12',
    '0.5',
    '1e5',
    '1E+5',
    '1e-5',
    '123456789012345',
    '1234567890123456',
    '9007199254740993',
    '0.1',
    '412.8010559082031',
    '0.9987654685974121',
    '5e-324',
    '2.2250738585072014e-308',
    '1.7976931348623157e308',
    '1e400',
    '0.1e-400',
    '123456789012345678901234567890',
    '0.30000000000000004',
    '1.00000000000000011102230246251565',
    '8.41e+21',
    '9007199254740992.5',
    '0.000000000000000000000001',
  ])('%s', (text) => {
    expect(read(text)).toBe(Number(text));
  });

  it.each([
    '',
    '-',
    '+1',
    '.5',
    '1.',
    '1.e5',
    '1e',
    '1e+',
    'NaN',
    'Infinity',
    '-Infinity',
    '01',
    '0x10',
    '1_000',
    '--1',
  ])('%j is none', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it('gives the double that Number gives, for 200,000 numbers of all lengths', () => {
    const random = new RandomStream(1, 'decimal');
    for (let i = 0; i < 200_000; i++) {
      const digits = random.integer(1, 21);
      let text = '';
      for (let d = 0; d < digits; d++) text += String(random.integer(0, 10));
      const point = random.integer(0, digits + 1);
      text = `${text.slice(0, point).replace(/^0+(?=\d)/, '') || '0'}${point < digits ? `.${text.slice(point)}` : ''}`;
      if (random.chance(0.2)) text += `e${random.integer(-30, 30)}`;
      const value = read(text);
      if (!Object.is(value, Number(text))) expect.fail(`${text}: ${value}, not ${Number(text)}`);
    }
  });

  it('gives the double that Number gives, for 100,000 float32 values as Python writes them', () => {
    const random = new RandomStream(2, 'decimal');
    for (let i = 0; i < 100_000; i++) {
      const value = Math.fround(random.uniform() * 10 ** random.integer(-3, 4));
      if (read(String(value)) !== value) expect.fail(`${value}: ${read(String(value))}`);
    }
  });
});
