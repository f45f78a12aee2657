/** Writes random COCO files. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { explainWriteError } from '../../src/core/fs.js';
import { writeAtomic } from '../../src/core/replace.js';
import { datasetText, type FileSizes, resultsText } from './random-files.js';

/**
 * Writes instances.json, and unless there are no detections bbox.json and segm.json.
 *
 * @param onProgress entries of a file that are written, from 0 to all of them
 * @throws UserError when the folder cannot be written
 */
export async function writeCoco(
  folder: string,
  sizes: FileSizes,
  onProgress: (name: string, done: number, total: number) => void = () => {},
): Promise<void> {
  const write = async (name: string, total: number, text: Iterable<string>) => {
    onProgress(name, 0, total);
    let done = 0;
    await writeAtomic(join(folder, name), async (file) => {
      for (const piece of text) {
        await file.write(piece);
        const lines = piece.split('\n').length - 1;
        done = Math.min(total - 1, done + lines);
        if (lines > 1) onProgress(name, done, total);
      }
    });
    onProgress(name, total, total);
  };
  try {
    await mkdir(folder, { recursive: true });
    await write('instances.json', sizes.images + sizes.objects, datasetText(sizes));
    if (sizes.detections === 0) return;
    await write('bbox.json', sizes.detections, resultsText(sizes, 'bbox'));
    await write('segm.json', sizes.detections, resultsText(sizes, 'segm'));
  } catch (error) {
    throw explainWriteError(folder, error);
  }
}
