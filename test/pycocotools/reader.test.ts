import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { JsonReader } from '../../src/pycocotools/json/reader.js';
import { memorySource } from '../../src/pycocotools/json/source.js';

const open = (text: string, window?: number) =>
  new JsonReader(memorySource(Buffer.from(text), 'file.json'), window);

/** Any value, with a window so small that everything runs into its end. */
function parse(text: string, window = 16): unknown {
  const reader = open(text, window);
  const value = reader.whole(() => reader.value());
  reader.finish();
  return value;
}

function randomValue(random: RandomStream, depth = 0): unknown {
  const kind = random.integer(0, depth > 3 ? 5 : 7);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.integer(-1000, 1000);
  if (kind === 3) return random.between(-1, 1) * 10 ** random.integer(-20, 20);
  if (kind === 4) {
    const letters = 'ab "\\/\b\f\n\r\t{}[],:é😀0';
    return Array.from(
      { length: random.integer(0, 12) },
      () => [...letters][random.integer(0, [...letters].length)],
    ).join('');
  }
  const items = Array.from({ length: random.integer(0, 5) }, () => randomValue(random, depth + 1));
  if (kind === 5) return items;
  return Object.fromEntries(items.map((item, i) => [`key ${i}`, item]));
}

describe('JsonReader', () => {
  it('reads what JSON.parse reads, through any window', () => {
    const random = new RandomStream(3, 'json');
    for (let i = 0; i < 2000; i++) {
      const value = randomValue(random);
      const text = JSON.stringify(value, null, random.integer(0, 3));
      expect(parse(text, random.integer(2, 64))).toEqual(JSON.parse(text));
    }
  });

  it('accepts a damaged text exactly when JSON.parse does', () => {
    const random = new RandomStream(4, 'json');
    const pieces = [
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      '.',
      'e',
      ' ',
      'n',
      'u',
      '\u0001',
      '\0',
      'NaN',
      '',
    ];
    let refused = 0;
    for (let i = 0; i < 20_000; i++) {
      const text = JSON.stringify(randomValue(random));
      const at = random.integer(0, text.length + 1);
      const piece = pieces[random.integer(0, pieces.length)];
      // Cut within a pair of surrogates, it would not survive the way through bytes.
      const damaged = Buffer.from(
        text.slice(0, at) + piece + text.slice(at + random.integer(0, 2)),
      ).toString();
      let expected: unknown;
      let valid = true;
      try {
        expected = JSON.parse(damaged);
      } catch {
        valid = false;
      }
      try {
        const value = parse(damaged, 64);
        if (!valid) expect.fail(`${JSON.stringify(damaged)} was accepted`);
        expect(value).toEqual(expected);
      } catch (error) {
        if (valid) throw error;
        refused++;
        expect(String(error)).toMatch(/file\.json, byte \d+: /);
      }
    }
    expect(refused).toBeGreaterThan(5000);
  });

  it.each([
    ['{"a": NaN}', 'byte 6: expected a number, found "NaN}"'],
    ['[1,]', 'byte 3: expected a number, found "]"'],
    ['[1', 'byte 2: the file ends where a comma or ] was expected: is it complete?'],
    ['', 'byte 0: the file ends where a value was expected'],
    ['[1] x', 'byte 4: expected the end of the file, found "x"'],
    ['"\u0007"', 'byte 1: expected the rest of a string'],
    ['tru', 'byte 3: the file ends where "true" was expected'],
    [`${'['.repeat(2000)}`, 'values nested more than 1000 deep'],
  ])('%j says where it is wrong', (text, problem) => {
    expect(() => parse(text)).toThrow(problem);
  });

  it('reads a file that begins with a byte order mark', () => {
    expect(parse('\ufeff{"a": 1}')).toEqual({ a: 1 });
  });

  it('leaves a list at the first element behind a byte, and reads on from there', () => {
    const text = '[ {"a":1} , {"a":2},{"a":3} ]';
    const values: unknown[] = [];
    const first = open(text, 8);
    first.whole(() => first.firstElement());
    const read = (reader: JsonReader) => () => void values.push(reader.value());
    expect(first.elementsUntil(read(first), 12)).toBe(true);
    expect(first.offset).toBe(12);
    expect(values).toEqual([{ a: 1 }]);
    const rest = { ...memorySource(Buffer.from(text.slice(12)), 'file.json'), start: 12 };
    const second = new JsonReader(rest, 8);
    expect(second.elementsUntil(read(second), Number.POSITIVE_INFINITY)).toBe(false);
    second.finish();
    expect(values).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
  });
});
