/** Opens a data set of images: from the cached index when it still holds, else by scanning. */

import { resolve } from 'node:path';
import { hasCode, UserError } from '../core/errors.js';
import { type Log, SILENT } from '../core/log.js';
import { type Split, splitFolder } from './classes.js';
import { ImageTable } from './image-table.js';
import { readIndex, writeIndex } from './index-cache.js';
import type { Skipped } from './list-files.js';
import { type ScanOptions, scanImages } from './scan.js';

export interface DatasetOptions {
  /** Folder of images. With `annotations`, the folder that their `file_name` is relative to. */
  root: string;
  /** Path of a JSON file in COCO's form. */
  annotations?: string;
  /** `train` also takes a folder without splits; `val` does not. Default `train`. */
  split?: Split;
  /** Read all files again even if the cached index seems to hold. */
  rescan?: boolean;
  concurrency?: number;
  onProgress?: ScanOptions['onProgress'];
  log?: Log;
}

export interface ImageDataset {
  /** Absolute folder that the names are relative to: that of the split, if there are splits. */
  root: string;
  images: ImageTable;
  count: number;
  /** Names of the classes in label order; absent when the data set has no labels. */
  classes?: string[];
  /** Files that are not used, and why. */
  skipped: Skipped[];
}

/**
 * @throws UserError when the folder is missing, is a file, is empty, or holds no image that can be read, when there is
 *   no `val` folder for that split, or when the annotation file cannot be used
 */
export async function openDataset(options: DatasetOptions): Promise<ImageDataset> {
  const { annotations, rescan = false, concurrency, onProgress, log = SILENT } = options;
  const root = await rootOf(resolve(options.root), options);
  const key = annotations === undefined ? { root } : { root, annotations: resolve(annotations) };
  let result = rescan ? undefined : await readIndex(key, log);
  if (result === undefined) {
    result = await scanImages({
      ...key,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    await writeIndex(key, result, log);
  }
  const { columns, classes, skipped } = result;
  const images = new ImageTable(root, columns);
  return { root, images, count: images.count, skipped, ...(classes === undefined ? {} : { classes }) };
}

/** Whether `openDataset` would find this split: for `val`, whether there is a folder of validation images. */
export async function hasSplit(root: string, split: Split): Promise<boolean> {
  return (await findSplit(resolve(root), split)) !== undefined;
}

async function rootOf(root: string, { annotations, split = 'train' }: DatasetOptions): Promise<string> {
  if (annotations !== undefined) return root;
  const folder = await findSplit(root, split);
  if (folder !== undefined || split === 'train') return folder ?? root;
  throw new UserError(`there is no \`${split}\` folder`, {
    where: root,
    remedy: `put validation images into ${resolve(root, split)}, beside \`train\``,
  });
}

/** A root that cannot be listed has no splits; the scan says what is wrong with it. */
async function findSplit(root: string, split: Split): Promise<string | undefined> {
  try {
    return await splitFolder(root, split);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
