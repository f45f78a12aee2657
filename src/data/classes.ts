/**
 * What the folders of a data set mean: splits (`train`, `val`) and classes, both from names alone, as ImageNet has
 * them; no `meta.bin` is needed. Any other arrangement is a data set without labels.
 */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NO_LABEL } from './image-table.js';
import { sortByBytes } from './list-files.js';

export type Split = 'train' | 'val';
const SPLITS: readonly string[] = ['train', 'val', 'test'];

/**
 * The folder of a split below `root`, or undefined. Folders called `train` and `val` are splits when both are there, or
 * when `root` holds nothing but splits: beside `bus` and `car`, `train` is a class.
 */
export async function splitFolder(root: string, split: Split): Promise<string | undefined> {
  const folders: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const kind = entry.isSymbolicLink() ? await stat(join(root, entry.name)).catch(() => entry) : entry;
    if (kind.isDirectory()) folders.push(entry.name);
  }
  const areSplits =
    (folders.includes('train') && folders.includes('val')) || folders.every((name) => SPLITS.includes(name));
  return areSplits && folders.includes(split) ? join(root, split) : undefined;
}

export interface Labels {
  /** In byte order, absent without labels. */
  classes?: string[];
  /** Label of each name: index into `classes`, or `NO_LABEL`. */
  labelOf(name: string): number;
}

export const NO_LABELS: Labels = { labelOf: () => NO_LABEL };

/**
 * Classes are the immediate sub-folders, when there are at least two, each holds images, and no image lies beside them.
 *
 * @param names of the images, relative to the root
 * @param folders names of the root's immediate sub-folders
 */
export function labelsFromFolders(names: readonly string[], folders: readonly string[]): Labels {
  const found = new Set(names.map((name) => name.slice(0, Math.max(0, name.indexOf('/')))));
  if (found.size < 2 || found.has('') || folders.some((folder) => !found.has(folder))) return NO_LABELS;
  const classes = [...found];
  sortByBytes(classes);
  const indices = new Map(classes.map((name, index) => [name, index]));
  return { classes, labelOf: (name) => indices.get(name.slice(0, name.indexOf('/'))) ?? NO_LABEL };
}
