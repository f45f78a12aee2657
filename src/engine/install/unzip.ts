/**
 * Unpacks single entries of a wheel, as a stream, checksum included.
 *
 * The directory is read by `formats/zip`. Its reader of contents is made for checkpoints and refuses what compresses
 * suspiciously well; NVIDIA's wheels hold libraries that do (327 to 1). A wheel's sizes are checked against the free space
 * instead, and inflating stops as soon as more comes out than the directory promised.
 */

import { pipeline, Readable } from 'node:stream';
import { crc32, createInflateRaw } from 'node:zlib';
import { hasCode } from '../../core/errors.js';
import { type ByteSource, damaged, type ReadBytes } from '../../formats/byte-source.js';
import { readDirectory, type ZipEntry } from '../../formats/zip/directory.js';

const PIECE = 2 ** 20;
const LOCAL_HEADER = 0x04034b50;

/** @throws UserError when the file is no sound ZIP file, e.g. cut off */
export function listZip(source: ByteSource): Promise<ZipEntry[]> {
  return source.use(async (read) => [...(await readDirectory(source, read)).values()]);
}

/**
 * Hands over the content piece by piece; the checksum is known to be right when it returns.
 *
 * @throws UserError when the content is damaged, and whatever `consume` throws
 */
export function unzip(
  source: ByteSource,
  entry: ZipEntry,
  consume: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  return source.use(async (read) => {
    const packed = compressedPieces(source, entry, read);
    const inflate = createInflateRaw({ chunkSize: PIECE });
    // Errors of either side surface where `inflate` is iterated.
    if (entry.method === 'deflate') pipeline(Readable.from(packed), inflate, () => undefined);
    let crc = 0;
    let size = 0;
    try {
      for await (const piece of entry.method === 'deflate' ? inflate : packed) {
        size += (piece as Uint8Array).length;
        if (size > entry.size) break;
        crc = crc32(piece as Uint8Array, crc);
        await consume(piece as Uint8Array);
      }
    } catch (error) {
      if (hasCode(error, 'Z_DATA_ERROR', 'Z_BUF_ERROR'))
        throw damaged(source.name, 'cannot be inflated', entry.name);
      throw error;
    } finally {
      inflate.destroy();
    }
    if (size !== entry.size || crc !== entry.crc) throw damaged(source.name, 'checksum is wrong', entry.name);
  });
}

/** The bytes behind the local header, whose extra field may differ in length from the directory's. */
async function* compressedPieces(
  source: ByteSource,
  entry: ZipEntry,
  read: ReadBytes,
): AsyncGenerator<Uint8Array> {
  const header = Buffer.from(await read(entry.offset, 30));
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (header.readUInt32LE(0) !== LOCAL_HEADER || start + entry.compressedSize > entry.limit) {
    throw damaged(source.name, 'local header and directory disagree', entry.name);
  }
  for (let done = 0; done < entry.compressedSize; done += PIECE) {
    yield await read(start + done, Math.min(PIECE, entry.compressedSize - done));
  }
}
