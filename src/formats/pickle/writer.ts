/**
 * Emits pickle opcodes: protocol 2, which every Python since 2.3 reads, or 3, which knows bytes and needs Python 3. Values
 * are put together by the caller.
 */

import { narrow } from './cursor.js';

export class PickleWriter {
  #bytes = Buffer.alloc(1 << 16);
  #length = 0;
  readonly #protocol: number;

  constructor(protocol: 2 | 3 = 2) {
    this.#protocol = protocol;
    this.op('\x80').#byte(protocol);
  }

  /** One opcode without an argument. */
  op(code: string): this {
    return this.#byte(code.charCodeAt(0));
  }

  int(value: number | bigint): this {
    const small = narrow(BigInt(value));
    if (typeof small === 'number' && small >= 0 && small < 0x100) return this.op('K').#byte(small);
    if (typeof small === 'number' && small >= 0 && small < 0x10000) {
      this.op('M').#reserve(2).writeUInt16LE(small);
      return this;
    }
    if (typeof small === 'number' && Math.trunc(small) === (small | 0)) {
      this.op('J').#reserve(4).writeInt32LE(small);
      return this;
    }
    return this.#long(BigInt(value));
  }

  float(value: number): this {
    this.op('G').#reserve(8).writeDoubleBE(value);
    return this;
  }

  /** @throws RangeError for half of a surrogate pair, which UTF-8 cannot hold */
  text(value: string): this {
    if (/\p{Surrogate}/u.test(value))
      throw new RangeError(`text ${JSON.stringify(value)} is not valid Unicode`);
    const length = Buffer.byteLength(value);
    this.op('X').#reserve(4).writeUInt32LE(length);
    this.#reserve(length).write(value);
    return this;
  }

  global(module: string, name: string): this {
    const line = `${module}\n${name}\n`;
    this.op('c').#reserve(line.length).write(line, 'latin1');
    return this;
  }

  /** Protocol 2 has no bytes: a text of which each character is a byte, and how to encode it. */
  bytes(value: Uint8Array): this {
    if (this.#protocol >= 3) {
      this.bytesHeader(value.length).#reserve(value.length).set(value);
      return this;
    }
    const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
    return this.global('_codecs', 'encode').op('(').text(text).text('latin1').op('t').op('R');
  }

  /** Bytes of this length follow; the caller puts them behind `take()`. @throws RangeError from 4 GiB on */
  bytesHeader(length: number): this {
    if (length > 0xffffffff) throw new RangeError('bytes of 4 GiB or more');
    this.op('B').#reserve(4).writeUInt32LE(length);
    return this;
  }

  /** What was emitted since the last call. */
  take(): Uint8Array {
    const taken = new Uint8Array(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  finish(): Uint8Array {
    this.op('.');
    return this.#bytes.subarray(0, this.#length);
  }

  /** Two's complement, little-endian, as few bytes as hold the sign. */
  #long(value: bigint): this {
    let length = 1;
    while (BigInt.asIntN(8 * length, value) !== value) length++;
    if (length > 255) throw new RangeError('integer of more than 255 bytes');
    this.op('\x8a').#byte(length);
    const target = this.#reserve(length);
    for (let i = 0; i < length; i++) target[i] = Number(BigInt.asUintN(8, value >> BigInt(8 * i)));
    return this;
  }

  #byte(value: number): this {
    this.#reserve(1)[0] = value;
    return this;
  }

  #reserve(length: number): Buffer {
    const start = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#length));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    return this.#bytes.subarray(start, this.#length);
  }
}
