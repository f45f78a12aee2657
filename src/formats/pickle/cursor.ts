/** Reads the arguments of pickle opcodes, each checked against the end, through a window that moves over the input. */

import { LONG_PAYLOAD, type PickleInput, StoredBytes, type StoredKind } from './input.js';
import { MalformedPickle } from './values.js';

const WINDOW = 1 << 20;
/** What is read into memory in one piece is at most this long. */
const LARGEST_VALUE = 64 * 2 ** 20;

/** Integers of more bytes than this are refused; Python's own limit for decimal text is of the same size. */
const LONGEST_INTEGER = 1024;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Cursor {
  readonly #input: PickleInput;
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  /** Of the window's first byte. */
  #start = 0;
  position: number;

  constructor(input: PickleInput, position = 0) {
    this.#input = input;
    this.position = position;
  }

  /** Shares memory with the window. */
  take(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A payload that may be long: then it stays in the file, if there is one. */
  payload(length: number, kind: StoredKind): Uint8Array | StoredBytes {
    const { source, size } = this.#input;
    if (source === undefined || length < LONG_PAYLOAD) return this.take(length);
    if (length > size - this.position) throw new MalformedPickle('ends in the middle of a value');
    this.position += length;
    return new StoredBytes(source, this.position - length, length, kind);
  }

  /** Moves the window over the next `length` bytes, and the position behind them. @returns where they are in the window */
  #skip(length: number): number {
    const at = this.position - this.#start;
    if (at >= 0 && at + length <= this.#bytes.length) {
      this.position += length;
      return at;
    }
    if (length > this.#input.size - this.position) throw new MalformedPickle('ends in the middle of a value');
    if (length > LARGEST_VALUE) throw new MalformedPickle(`holds a value of ${length} bytes`);
    this.#moveWindow(Math.max(length, WINDOW));
    this.position += length;
    return 0;
  }

  #moveWindow(length: number): void {
    this.#start = this.position;
    this.#bytes = this.#input.read(this.#start, Math.min(length, this.#input.size - this.#start));
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  }

  byte(): number {
    const at = this.#skip(1);
    return this.#view.getUint8(at);
  }

  uint16(): number {
    const at = this.#skip(2);
    return this.#view.getUint16(at, true);
  }

  int32(): number {
    const at = this.#skip(4);
    return this.#view.getInt32(at, true);
  }

  uint32(): number {
    const at = this.#skip(4);
    return this.#view.getUint32(at, true);
  }

  /** A length of 8 bytes. */
  length64(): number {
    const at = this.#skip(8);
    const value = Number(this.#view.getBigUint64(at, true));
    if (!Number.isSafeInteger(value)) throw new MalformedPickle('holds an absurd length');
    return value;
  }

  float64(): number {
    const at = this.#skip(8);
    return this.#view.getFloat64(at, false);
  }

  utf8(length: number): string {
    return decodeUtf8(this.take(length));
  }

  /** Python 2 strings: one character per byte, so nothing is lost when they hold binary data. */
  latin1(length: number): string {
    return decodeLatin1(this.take(length));
  }

  /** Up to the next line feed, without it. @param decode the characters are UTF-8, or bytes */
  line(decode = decodeUtf8): string {
    const rest = this.#input.size - this.position;
    for (let length = WINDOW; ; length *= 2) {
      const at = this.position - this.#start;
      const end = at < 0 ? -1 : this.#bytes.indexOf(10, at);
      if (end >= 0) {
        const text = decode(this.take(end - at));
        this.position++;
        return text;
      }
      if (length >= 2 * rest || length > LARGEST_VALUE)
        throw new MalformedPickle('ends in the middle of a line');
      this.#moveWindow(length);
    }
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

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new MalformedPickle('holds a text that is not UTF-8');
  }
}

export function decodeLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** A number where that is exact, else a bigint. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
