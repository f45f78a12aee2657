import { describe, expect, it } from 'vitest';
import {
  bytesField,
  doubleField,
  floatField,
  message,
  parsedText,
  readFields,
  stringField,
  varintField,
} from '../../src/core/protobuf.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the wire format', () => {
  it('writes integers in base 128', () => {
    expect(hex(varintField(1, 0))).toBe('0800');
    expect(hex(varintField(1, true))).toBe('0801');
    expect(hex(varintField(1, 127))).toBe('087f');
    expect(hex(varintField(1, 150))).toBe('089601');
    expect(hex(varintField(16, 2 ** 40))).toBe('8001808080808020');
  });

  it('writes negative integers as 64-bit two’s complement', () => {
    expect(hex(varintField(1, -1))).toBe('08ffffffffffffffffff01');
    expect(hex(varintField(1, -2))).toBe('08feffffffffffffffff01');
  });

  it('writes floats, doubles, texts and nested messages', () => {
    expect(hex(floatField(2, 0.5))).toBe('150000003f');
    expect(hex(doubleField(1, 1.5))).toBe('09000000000000f83f');
    expect(hex(stringField(2, 'é'))).toBe('1202c3a9');
    expect(hex(bytesField(3, message(varintField(1, 1), varintField(2, 2))))).toBe('1a0408011002');
  });

  it('refuses what is no integer', () => {
    expect(() => varintField(1, 0.5)).toThrow(RangeError);
  });

  it('reads what it wrote', () => {
    const long = 'x'.repeat(300);
    const bytes = message(
      varintField(1, 2 ** 50),
      stringField(20, long),
      floatField(3, 1),
      doubleField(4, 1),
    );
    const fields = [...readFields(bytes)];
    expect(fields.map(({ number }) => number)).toEqual([1, 20, 3, 4]);
    expect(fields[0].value).toBe(2 ** 50);
    expect(parsedText(fields[1])).toBe(long);
    expect([hex(fields[2].bytes), hex(fields[3].bytes)]).toEqual(['0000803f', '000000000000f03f']);
  });

  it('refuses a message that ends within a field', () => {
    const bytes = message(stringField(1, 'abc'), varintField(2, 300));
    for (const length of [1, 2, 4, 6, 7]) {
      expect(() => [...readFields(bytes.subarray(0, length))], `${length} bytes`).toThrow(
        'ends within a field',
      );
    }
  });
});
