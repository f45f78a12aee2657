/**
 * Reads a `.tar.gz` from front to back: the form of the official libtensorflow archives.
 *
 * Only plain files are shown; links, folders and extended headers are passed over. The names wanted here are short, so
 * the extensions for long names are not needed. The gzip checksum covers everything, and is known to be right at the end.
 */

import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { hasCode } from '../../core/errors.js';
import { damaged } from '../../formats/byte-source.js';

const BLOCK = 512;

/**
 * @param onFile receives name and content of each file; it may leave the content, but not half of it
 * @throws UserError when the archive is damaged or cut off
 */
export async function readTarGz(
  path: string,
  onFile: (name: string, content: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  // Errors of either side surface where `gunzip` is iterated.
  pipeline(createReadStream(path), gunzip, () => undefined);
  const bytes = new ByteStream(path, gunzip[Symbol.asyncIterator]());
  try {
    for (;;) {
      const header = await bytes.exactly(BLOCK);
      if (header.every((byte) => byte === 0)) break;
      const { name, size, isFile } = parseHeader(path, header);
      const content = bytes.take(size);
      if (isFile) await onFile(name, content);
      for await (const _ of content);
      await bytes.exactly((BLOCK - (size % BLOCK)) % BLOCK);
    }
    await bytes.drain();
  } catch (error) {
    if (hasCode(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR')) throw damaged(path, 'cannot be unpacked');
    throw error;
  } finally {
    gunzip.destroy();
  }
}

/** Fields: name 100 at 0, size 12 octal at 124, checksum 8 at 148, type at 156, and, in POSIX archives, prefix 155 at 345. */
function parseHeader(path: string, header: Buffer): { name: string; size: number; isFile: boolean } {
  const text = (start: number, length: number) => {
    const end = header.indexOf(0, start);
    return header.toString('utf8', start, end < 0 ? start + length : Math.min(end, start + length));
  };
  const octal = (start: number, length: number) => Number.parseInt(text(start, length).trim(), 8);
  // The checksum counts its own eight bytes as spaces.
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  const size = octal(124, 12);
  if (octal(148, 8) !== sum || !(size >= 0)) throw damaged(path, 'is no tar archive');
  const type = String.fromCharCode(header[156]);
  const prefix = text(257, 5) === 'ustar' && header[262] === 0 ? text(345, 155) : '';
  const name = text(0, 100);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size, isFile: type === '0' || type === '\0' };
}

/** Cuts a stream of chunks into pieces of given lengths. */
class ByteStream {
  readonly #path: string;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string, chunks: AsyncIterator<Buffer>) {
    this.#path = path;
    this.#chunks = chunks;
  }

  async *take(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#chunks.next();
        if (done === true) throw damaged(this.#path, 'ends in the middle');
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async exactly(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.take(length)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Reads to the end, where the checksum is. */
  async drain(): Promise<void> {
    while ((await this.#chunks.next()).done !== true);
  }
}
