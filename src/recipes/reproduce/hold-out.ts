/**
 * The training images of a labelled folder, split once more: links in `train/CLASS` and `val/CLASS`. The classifier's rate is
 * chosen on the latter, so that no row is favoured by the rate, and the validation images stay unseen.
 */

import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import { explainWriteError } from '../../core/fs.js';
import { RandomStream } from '../../core/rng.js';
import { temporaryName, tidyBeside } from '../../core/temporary.js';
import type { ImageDataset } from '../../data/dataset.js';

/**
 * @param folder of the links; one that is there is whole
 * @param share of the images of each class that are held out; at least one, if there are two
 */
export async function holdOut(dataset: ImageDataset, share: number, folder: string): Promise<void> {
  await tidyBeside(folder);
  const temporary = temporaryName(folder);
  try {
    for (const [split, rows] of Object.entries(splitRows(dataset, share))) {
      for (const row of rows) {
        const target = resolve(dataset.images.path(row));
        const place = join(temporary, split, classOf(dataset, row), `${row}_${basename(target)}`);
        await mkdir(dirname(place), { recursive: true });
        await symlink(target, place);
      }
    }
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw explainWriteError(folder, error);
  }
}

function classOf({ classes = [], images }: ImageDataset, row: number): string {
  return classes[images.label(row)];
}

/** Drawn by a stream of its own: the same for all rows and seeds of a table. */
function splitRows({ root, classes, images, count }: ImageDataset, share: number) {
  const byClass = new Map<number, number[]>();
  for (let row = 0; row < count; row++) {
    const rows = byClass.get(images.label(row)) ?? [];
    byClass.set(images.label(row), rows);
    rows.push(row);
  }
  const split: Record<'train' | 'val', number[]> = { train: [], val: [] };
  for (const [label, rows] of byClass) {
    if (rows.length < 2) {
      throw new UserError('has a single image, of which none can be held out to choose the rate', {
        where: join(root, classes?.[label] ?? ''),
        remedy: 'give one value in linear/rates, or leave the class out',
      });
    }
    const drawn = new RandomStream(0, 'held out', label).shuffle(Uint32Array.from(rows));
    const held = Math.max(1, Math.round(share * rows.length));
    split.val.push(...drawn.slice(0, held));
    split.train.push(...drawn.slice(held));
  }
  return split;
}
