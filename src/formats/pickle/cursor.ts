/** Reads the arguments of pickle opcodes from bytes, each checked against the end. */

import { MalformedPickle } from './values.js';

/** Integers of more bytes than this are refused; Python's own limit for decimal text is of the same size. */
const LONGEST_INTEGER = 1024;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  position: number;

  constructor(bytes: Uint8Array, position = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
  }

  /** Shares memory with the pickle. */
  take(length: number): Uint8Array {
    const start = this.position;
    if (length > this.#bytes.length - start) throw new MalformedPickle('ends in the middle of a value');
    this.position += length;
    return this.#bytes.subarray(start, this.position);
  }

  #skip(length: number): number {
    this.take(length);
    return this.position - length;
  }

  byte(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  /** A length of 8 bytes. */
  length64(): number {
    const value = Number(this.#view.getBigUint64(this.#skip(8), true));
    if (!Number.isSafeInteger(value)) throw new MalformedPickle('holds an absurd length');
    return value;
  }

  float64(): number {
    return this.#view.getFloat64(this.#skip(8), false);
  }

  utf8(length: number): string {
    const bytes = this.take(length);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw new MalformedPickle('holds a text that is not UTF-8');
    }
  }

  /** Python 2 strings: one character per byte, so nothing is lost when they hold binary data. */
  latin1(length: number): string {
    const bytes = this.take(length);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  }

  /** Up to the next line feed, without it. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.position);
    if (end < 0) throw new MalformedPickle('ends in the middle of a line');
    const text = this.utf8(end - this.position);
    this.position++;
    return text;
  }

  /** A little-endian two's complement integer of any length. */
  integer(length: number): number | bigint {
    if (length > LONGEST_INTEGER) throw new MalformedPickle(`holds an integer of ${length} bytes`);
    const bytes = this.take(length);
    if (length === 0) return 0;
    const magnitude = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
    return narrow(BigInt.asIntN(8 * length, magnitude));
  }

  /** A decimal integer in text; Python 2 adds an L to long ones. */
  decimal(): number | bigint {
    const text = this.line().replace(/L$/, '');
    if (text.length > 2 * LONGEST_INTEGER || !/^\s*[+-]?\d+\s*$/.test(text)) {
      throw new MalformedPickle('holds an integer that cannot be read');
    }
    return narrow(BigInt(text.trim().replace(/^\+/, '')));
  }
}

/** A number where that is exact, else a bigint. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
