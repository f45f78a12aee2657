/**
 * The wire format of protocol buffers: a message is a row of fields, each a key (number of the field times 8, plus the kind
 * of its value) and the value. What the numbers mean is known to those who read and write a certain message.
 */

/** The bytes of one field. */
export type Field = Uint8Array<ArrayBuffer>;

/** Kinds of values. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** int64, uint64, bool or enum; a negative integer takes ten bytes. */
export function varintField(field: number, value: number | boolean): Field {
  return Uint8Array.from([...varint(field * 8 + VARINT), ...varint(Number(value))]);
}

/** Rounded to 32 bits. */
export function floatField(field: number, value: number): Field {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return message(Uint8Array.from(varint(field * 8 + FIXED32)), bytes);
}

export function doubleField(field: number, value: number): Field {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return message(Uint8Array.from(varint(field * 8 + FIXED64)), bytes);
}

/** Bytes, or a message within this one. */
export function bytesField(field: number, content: Uint8Array): Field {
  return message(bytesHead(field, content.length), content);
}

/** What stands before the content of a `bytesField`, for those who write the content themselves. */
export function bytesHead(field: number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...varint(field * 8 + BYTES), ...varint(length)]);
}

export function stringField(field: number, text: string): Field {
  return bytesField(field, new TextEncoder().encode(text));
}

export function message(...fields: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(fields.reduce((total, { length }) => total + length, 0));
  let position = 0;
  for (const field of fields) {
    out.set(field, position);
    position += field.length;
  }
  return out;
}

/** Base 128, lowest digit first, high bit set on all but the last; two's complement of 64 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

/** One field of a message that is being read: `bytes` for strings and nested messages, `value` for integers. */
export interface ParsedField {
  number: number;
  value: number;
  bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * Yields the fields of a message in order. Fixed-width fields come with their raw bytes.
 *
 * @throws RangeError when the message ends within a field
 */
export function* readFields(data: Uint8Array): Generator<ParsedField> {
  let position = 0;
  const advance = (length: number): number => {
    const start = position;
    position += length;
    if (position > data.length) throw new RangeError('protocol buffer: ends within a field');
    return start;
  };
  const next = (): number => {
    let result = 0;
    let scale = 1;
    for (;;) {
      const byte = data[advance(1)];
      result += (byte & 127) * scale;
      if (byte < 128) return result;
      scale *= 128;
    }
  };
  while (position < data.length) {
    const key = next();
    const number = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === VARINT) {
      yield { number, value: next(), bytes: NOTHING };
      continue;
    }
    const length = kind === BYTES ? next() : kind === FIXED64 ? 8 : 4;
    const start = advance(length);
    yield { number, value: 0, bytes: data.subarray(start, position) };
  }
}

export function parsedText(field: ParsedField): string {
  return new TextDecoder().decode(field.bytes);
}
