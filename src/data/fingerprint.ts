/**
 * Tells one data set from another, cheaply: by all names, sizes and labels, and by the bytes of a few files.
 *
 * The folder in which the images lie is left out, as a data set may be moved. A file that was overwritten by another of
 * equal size is only noticed when it is among those that are read.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { RandomStream } from '../core/rng.js';
import type { ImageTable } from './image-table.js';

/** Enough to notice other pictures under the same names; a second even on a slow disk. */
const FILES_READ = 64;

/** @returns SHA-256 as hexadecimal digits. A file that cannot be read counts as empty. */
export async function fingerprintImages(images: ImageTable): Promise<string> {
  const hash = createHash('sha256');
  const { names, offsets, widths, heights, labels, kinds } = images.columns;
  for (const column of [names, offsets, widths, heights, labels, kinds]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  const stream = new RandomStream(0, 'fingerprint', images.count);
  for (let i = 0; i < Math.min(FILES_READ, images.count); i++) {
    const bytes = await readFile(images.path(stream.integer(0, images.count))).catch(() => '');
    hash.update(createHash('sha256').update(bytes).digest());
  }
  return hash.digest('hex');
}
