/**
 * Reads entries of a ZIP file in slices, checksum included.
 *
 * The CRC covers a whole entry, so the first read of an entry runs through all of it, in pieces, and keeps only the
 * slice; later reads of a stored entry fetch just their bytes. Inflating stops as soon as more comes out than the
 * directory promised.
 */

import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { hasCode } from '../../core/errors.js';
import { type ByteSource, damaged, partOf, type ReadBytes } from '../byte-source.js';
import { LARGEST_RATIO, locateContent, readDirectory, type ZipEntry } from './directory.js';

const PIECE = 4 * 2 ** 20;
/** Compressed bytes that are read at a time for the start of an entry. */
const PEEKED = 2 ** 14;

export class ZipReader {
  readonly source: ByteSource;
  /** By name, in the order of the directory. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #verified = new Set<ZipEntry>();
  readonly #largestRatio: number;

  private constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>, largestRatio: number) {
    this.source = source;
    this.entries = entries;
    this.#largestRatio = largestRatio;
  }

  /**
   * Reads the directory.
   *
   * @param largestRatio entries that claim more bytes than this times their compressed ones cannot be read
   * @throws UserError when the file is no sound ZIP file
   */
  static async open(source: ByteSource, largestRatio = LARGEST_RATIO): Promise<ZipReader> {
    return new ZipReader(source, await source.use((read) => readDirectory(source, read)), largestRatio);
  }

  /**
   * Bytes `start` to `start + length` of the content; all of it by default.
   *
   * @throws UserError when the checksum is wrong, the content is shorter or longer than promised, or cannot be inflated
   */
  async read(entry: ZipEntry, start = 0, length = entry.size - start): Promise<Uint8Array<ArrayBuffer>> {
    if (!(start >= 0 && length >= 0 && start + length <= entry.size)) {
      throw damaged(this.source.name, `has no bytes ${start} to ${start + length}`, entry.name);
    }
    return this.source.use(async (read) => {
      const position = await locateContent(this.source, entry, read, this.#largestRatio);
      if (entry.method === 'stored' && this.#verified.has(entry)) return read(position + start, length);
      if (entry.method === 'stored' && length === entry.size) {
        const bytes = await read(position, length);
        this.#check(entry, length, crc32(bytes));
        return bytes;
      }
      const slice = new Uint8Array(length);
      let crc = 0;
      let done = 0;
      for await (const piece of this.#pieces(entry, position, read)) {
        if (done + piece.length > entry.size)
          throw damaged(this.source.name, 'is longer than promised', entry.name);
        crc = crc32(piece, crc);
        const from = Math.max(start - done, 0);
        const to = Math.min(start + length - done, piece.length);
        if (from < to) slice.set(piece.subarray(from, to), done + from - start);
        done += piece.length;
      }
      this.#check(entry, done, crc);
      return slice;
    });
  }

  /**
   * The first `length` bytes of the content, without reading the rest: its checksum is not known yet. For headers, which are
   * checked in other ways; what is read of an entry by `read` is always whole.
   *
   * @throws UserError when the content is shorter, or cannot be inflated
   */
  async peek(entry: ZipEntry, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length > entry.size) throw damaged(this.source.name, `has only ${entry.size} bytes`, entry.name);
    return this.source.use(async (read) => {
      const position = await locateContent(this.source, entry, read, this.#largestRatio);
      if (entry.method === 'stored') return read(position, length);
      const start = new Uint8Array(length);
      let done = 0;
      for await (const piece of this.#pieces(entry, position, read, PEEKED)) {
        start.set(piece.subarray(0, length - done), done);
        done += Math.min(piece.length, length - done);
        if (done === length) return start;
      }
      throw damaged(this.source.name, `has ${done} bytes instead of ${entry.size}`, entry.name);
    });
  }

  /**
   * Hands the content over piece by piece, in bounded memory; the checksum is known to be right when it returns.
   *
   * @throws UserError as `read`, and whatever `consume` throws
   */
  async extract(entry: ZipEntry, consume: (piece: Uint8Array) => Promise<void>): Promise<void> {
    await this.source.use(async (read) => {
      const position = await locateContent(this.source, entry, read, this.#largestRatio);
      let crc = 0;
      let done = 0;
      for await (const piece of this.#pieces(entry, position, read)) {
        if (done + piece.length > entry.size)
          throw damaged(this.source.name, 'is longer than promised', entry.name);
        crc = crc32(piece, crc);
        done += piece.length;
        await consume(piece);
      }
      this.#check(entry, done, crc);
    });
  }

  /** The content of an entry that is not compressed, checked, as a source of its own; undefined for any other. */
  async stored(entry: ZipEntry): Promise<ByteSource | undefined> {
    if (entry.method !== 'stored') return undefined;
    await this.read(entry, 0, 0);
    const position = await this.source.use((read) =>
      locateContent(this.source, entry, read, this.#largestRatio),
    );
    return partOf(this.source, position, entry.size);
  }

  /** Reads through all entries and checks them, keeping nothing. @throws UserError */
  async verify(): Promise<void> {
    await this.source.use(async () => {
      for (const entry of this.entries.values()) if (!this.#verified.has(entry)) await this.read(entry, 0, 0);
    });
  }

  #check(entry: ZipEntry, size: number, crc: number): void {
    if (size !== entry.size) {
      throw damaged(this.source.name, `has ${size} bytes instead of ${entry.size}`, entry.name);
    }
    if (crc !== entry.crc) throw damaged(this.source.name, 'checksum is wrong', entry.name);
    this.#verified.add(entry);
  }

  async *#pieces(
    entry: ZipEntry,
    position: number,
    read: ReadBytes,
    piece = PIECE,
  ): AsyncGenerator<Uint8Array> {
    const stored = storedPieces(position, entry.compressedSize, read, piece);
    if (entry.method === 'stored') {
      yield* stored;
      return;
    }
    const inflate = createInflateRaw();
    // Errors of either side surface where `inflate` is iterated.
    pipeline(Readable.from(stored), inflate, () => undefined);
    try {
      for await (const piece of inflate) yield piece as Uint8Array;
    } catch (error) {
      if (hasCode(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR')) {
        throw damaged(this.source.name, 'cannot be inflated', entry.name);
      }
      throw error;
    }
  }
}

async function* storedPieces(
  position: number,
  size: number,
  read: ReadBytes,
  piece: number,
): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < size; done += piece) {
    yield await read(position + done, Math.min(piece, size - done));
  }
}
