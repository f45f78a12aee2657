/**
 * Tells one data set from another, cheaply: by the names, numbers of bytes, sides and labels of all files, and by the contents of
 * a few.
 *
 * The folder in which the images lie is left out, as a data set may be moved. A file that was overwritten by another of as many
 * bytes and pixels is only noticed when it is among those that are read: a picture that was compressed hardly has such a double.
 */

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { RandomStream } from '../core/rng.js';
import type { ImageTable } from './image-table.js';

/** Enough to notice that all pictures are others, whatever their files say; a second even on a slow disk. */
const FILES_READ = 64;
/** Files that are asked for their size at once. */
const AT_ONCE = 256;

/** @returns SHA-256 as hexadecimal digits. A file that cannot be read counts as empty. */
export async function fingerprintImages(images: ImageTable): Promise<string> {
  const hash = createHash('sha256');
  const { names, offsets, widths, heights, labels, kinds } = images.columns;
  for (const column of [names, offsets, widths, heights, labels, kinds, await sizesOf(images)]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  const stream = new RandomStream(0, 'fingerprint', images.count);
  for (let i = 0; i < Math.min(FILES_READ, images.count); i++) {
    const bytes = await readFile(images.path(stream.integer(0, images.count))).catch(() => '');
    hash.update(createHash('sha256').update(bytes).digest());
  }
  return hash.digest('hex');
}

/** [count] bytes */
async function sizesOf(images: ImageTable): Promise<Float64Array> {
  const sizes = new Float64Array(images.count);
  for (let first = 0; first < sizes.length; first += AT_ONCE) {
    const rows = Array.from({ length: Math.min(AT_ONCE, sizes.length - first) }, (_, i) => first + i);
    await Promise.all(
      rows.map(async (row) => {
        sizes[row] = await stat(images.path(row)).then(
          ({ size }) => size,
          () => 0,
        );
      }),
    );
  }
  return sizes;
}
