/** Images that are named one by one, as a table: what `scanImages` makes of a folder. */

import { resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { probeImage } from '../image/probe.js';
import { ImageError, type ImageInfo } from '../image/types.js';
import { buildColumns, ImageTable, NO_LABEL } from './image-table.js';

/**
 * In the given order; a file may occur twice.
 *
 * @param root folder that the names are relative to
 * @throws UserError when a file is missing or no picture
 */
export async function imageFiles(root: string, names: readonly string[]): Promise<ImageTable> {
  const infos = await Promise.all(names.map((name) => probe(resolve(root, name))));
  return new ImageTable(
    root,
    buildColumns(names.map((name, i) => ({ name, info: infos[i], label: NO_LABEL }))),
  );
}

async function probe(path: string): Promise<ImageInfo> {
  try {
    return await probeImage(path);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new UserError(error.reason, {
      where: path,
      remedy: 'give a JPEG, PNG, WebP, TIFF, GIF or AVIF file',
      cause: error,
    });
  }
}
