import { expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { visible, visibleLine } from '../../src/core/visible.js';
import { Console } from '../../src/report/console.js';
import { formatTable } from '../../src/report/table.js';

/** Clears the screen, names the window, rings, and turns the direction of reading around. */
const HOSTILE = '\x1b[2J\x1b]0;owned\x07\x9b1m\u202egpj.\x7f\u2028';
const SHOWN = '\\u001b[2J\\u001b]0;owned\\u0007\\u009b1m\\u202egpj.\\u007f\\u2028';

it('escapes what a terminal obeys, and leaves letters of all languages', () => {
  expect(visible(`${HOSTILE}\n\tcafé 日本 🙂`)).toBe(`${SHOWN}\n\tcafé 日本 🙂`);
  expect(visibleLine('a\nb\tc\r')).toBe('a\\u000ab\\u0009c\\u000d');
});

it('is done for messages, whoever prints them', () => {
  const written: string[] = [];
  const log = new Console(
    { isTTY: true, columns: 200, write: (text) => written.push(text) },
    { env: { TERM: 'x', NO_COLOR: '1' } },
  );
  log.info(HOSTILE);
  log.warn(HOSTILE);
  log.setLive(HOSTILE);
  expect(written.slice(0, 2)).toEqual([`${SHOWN}\n`, `warning: ${SHOWN}\n`]);
  const [, clear, shown] = /^(.{5})(.*)$/s.exec(written[2]) ?? [];
  expect(clear).toBe('\r\x1b[2K');
  expect(shown).toMatch(/^[ -~]*$/);
  const { message } = new UserError('is wrong', { where: 'a\nb', key: HOSTILE });
  expect(message).toBe(`a\\u000ab: ${SHOWN}: is wrong`);
});

it('keeps the columns of a table', () => {
  expect(
    formatTable(
      ['name', 'n'],
      [
        ['a\nb', 1],
        ['abcdefghi', 20],
      ],
    ),
  ).toBe('name        n\n---------  --\na\\u000ab    1\nabcdefghi  20');
});
