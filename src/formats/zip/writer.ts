/**
 * Writes a ZIP file from front to back: stored entries, payloads at multiples of 64 bytes so that they can be mapped.
 *
 * Sizes and checksums stand in the local headers, where the simplest readers look for them. Padding goes into an extra
 * field (id "FB", filled with Z), as PyTorch does. ZIP64 records appear only where a number does not fit. Times are the
 * format's earliest, so equal contents give equal files.
 */

import { crc32 } from 'node:zlib';
import { ByteSink, type WritableFile } from '../byte-sink.js';

/** What was meant to be written, to compare a file with. */
export interface WrittenEntry {
  readonly size: number;
  readonly crc: number;
}

const ALIGNMENT = 64;
/** Position of the checksum in the fields that local header and directory share. */
const CRC = 10;
const UTF8_NAMES = 0x0800;
/** 1 January 1980, the first day that exists. */
const DATE = 0x0021;

export class ZipWriter {
  readonly #sink: ByteSink;
  readonly #wideFrom: number;
  readonly #directory: Buffer[] = [];
  readonly #written = new Map<string, WrittenEntry>();

  /** @param wideFrom sizes and positions from here on are written as ZIP64; lower than needed only in tests */
  constructor(file: WritableFile, wideFrom = 0xffffffff) {
    this.#sink = new ByteSink(file);
    this.#wideFrom = wideFrom;
  }

  async add(name: string, payload: Uint8Array): Promise<void> {
    await this.#add(name, payload.length, [payload], crc32(payload));
  }

  /**
   * An entry that arrives in pieces. Its checksum is known at the end only and is put into the local header then.
   *
   * @param length of all pieces together
   */
  async addPieces(name: string, length: number, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#add(name, length, pieces);
  }

  async #add(
    name: string,
    length: number,
    pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    knownCrc?: number,
  ): Promise<void> {
    if (this.#written.has(name)) throw new Error(`ZIP entry ${name} is written twice`);
    const nameBytes = Buffer.from(name);
    const offset = this.#sink.position;
    const wideSize = length >= this.#wideFrom;
    const wideOffset = offset >= this.#wideFrom;
    const size = wideSize ? 0xffffffff : length;

    const sizes = wideSize ? wideExtra([length, length]) : Buffer.alloc(0);
    const extra = Buffer.concat([sizes, padding(offset + 30 + nameBytes.length + sizes.length)]);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(wideSize || wideOffset ? 45 : 20, 0);
    common.writeUInt16LE(UTF8_NAMES, 2);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(knownCrc ?? 0, CRC);
    common.writeUInt32LE(size, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    common.writeUInt16LE(extra.length, 24);
    await this.#sink.write(Buffer.concat([Buffer.from('PK\x03\x04'), common, nameBytes, extra]));
    let crc = 0;
    let done = 0;
    for await (const piece of pieces) {
      // Node's crc32 of nothing forgets what came before.
      if (piece.length === 0) continue;
      crc = knownCrc ?? crc32(piece, crc);
      done += piece.length;
      await this.#sink.write(piece);
    }
    if (done !== length) throw new Error(`ZIP entry ${name} has ${done} bytes instead of ${length}`);
    if (knownCrc === undefined) {
      common.writeUInt32LE(crc, CRC);
      await this.#sink.patch(offset + 4, common);
    }

    const wide = [...(wideSize ? [length, length] : []), ...(wideOffset ? [offset] : [])];
    const directoryExtra = wide.length === 0 ? Buffer.alloc(0) : wideExtra(wide);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(wideOffset ? 0xffffffff : offset, 10);
    const header = Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([45, 0]), common, rest]);
    header.writeUInt16LE(directoryExtra.length, 30);
    this.#directory.push(header, nameBytes, directoryExtra);
    this.#written.set(name, { size: length, crc });
  }

  /** Writes the directory. @returns sizes and checksums by entry name */
  async finish(): Promise<ReadonlyMap<string, WrittenEntry>> {
    const offset = this.#sink.position;
    const directory = Buffer.concat(this.#directory);
    await this.#sink.write(directory);
    const count = this.#written.size;
    if (count >= 0xffff || offset >= this.#wideFrom || directory.length >= this.#wideFrom) {
      await this.#sink.write(wideEnd(count, directory.length, offset));
    }
    const end = Buffer.alloc(22);
    end.write('PK\x05\x06', 'latin1');
    end.writeUInt16LE(Math.min(count, 0xffff), 8);
    end.writeUInt16LE(Math.min(count, 0xffff), 10);
    end.writeUInt32LE(directory.length >= this.#wideFrom ? 0xffffffff : directory.length, 12);
    end.writeUInt32LE(offset >= this.#wideFrom ? 0xffffffff : offset, 16);
    await this.#sink.write(end);
    return this.#written;
  }
}

function wideExtra(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => {
    extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  });
  return extra;
}

/** An extra field after which `position` becomes a multiple of the alignment. */
function padding(position: number): Buffer {
  const length = (ALIGNMENT - ((position + 4) % ALIGNMENT)) % ALIGNMENT;
  const extra = Buffer.alloc(4 + length, 'Z');
  extra.write('FB', 'latin1');
  extra.writeUInt16LE(length, 2);
  return extra;
}

/** ZIP64 end record, and the locator that leads to it. */
function wideEnd(count: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(76);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  record.write('PK\x06\x07', 56, 'latin1');
  record.writeBigUInt64LE(BigInt(offset + size), 64);
  record.writeUInt32LE(1, 72);
  return record;
}
