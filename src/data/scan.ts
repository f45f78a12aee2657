/**
 * Finds the images of a data set and reads their headers: any folder, with or without class sub-folders, or the images
 * of a COCO file. Files that cannot be used are skipped and listed with the reason; only a data set without a single
 * usable image is an error.
 */

import { opendir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { hasCode, UserError } from '../core/errors.js';
import { probeImage } from '../image/probe.js';
import { ImageError, type ImageInfo } from '../image/types.js';
import { type Labels, labelsFromFolders, NO_LABELS } from './classes.js';
import { listCocoImages } from './coco-images.js';
import { buildColumns, type ImageColumns, type ImageEntry } from './image-table.js';
import { type FileList, listImageFiles, type Skipped } from './list-files.js';
import { forEachIndex } from './pool.js';
import type { Stamp } from './stamps.js';

export interface ScanOptions {
  /** Absolute folder. */
  root: string;
  /** JSON file in COCO's form; its `images` are used instead of all files below `root`. */
  annotations?: string;
  /** Files whose headers are read at once. */
  concurrency?: number;
  /** Called after each header. */
  onProgress?: (done: number, total: number) => void;
}

export interface ScanResult {
  columns: ImageColumns;
  classes?: string[];
  skipped: Skipped[];
  stamps: Stamp[];
}

/** Shorter sides from which no view can be made. */
const MIN_SIDE = 2;

/** @throws UserError when the folder is missing, is a file, is empty, or holds no image that can be read */
export async function scanImages(options: ScanOptions): Promise<ScanResult> {
  const { root, annotations, concurrency = availableParallelism() * 2, onProgress } = options;
  await checkRoot(root);
  const list =
    annotations === undefined ? await listImageFiles(root) : await listCocoImages(annotations, root);
  if (list.names.length === 0) throw noImages(root, list.skipped);
  const { infos, skipped } = await probeAll(root, list, concurrency, onProgress);
  if (infos.every((info) => info === undefined)) throw noImages(root, skipped);

  const { classes, labelOf } = annotations === undefined ? labelsOf(root, list) : NO_LABELS;
  const entries: ImageEntry[] = [];
  for (const [i, info] of infos.entries()) {
    if (info !== undefined) entries.push({ name: list.names[i], info, label: labelOf(list.names[i]) });
  }
  const result = { columns: buildColumns(entries), skipped, stamps: list.stamps };
  return classes === undefined ? result : { ...result, classes };
}

function labelsOf(root: string, { names, stamps }: FileList): Labels {
  const folders = stamps.filter(({ path }) => dirname(path) === root).map(({ path }) => basename(path));
  return labelsFromFolders(names, folders);
}

/** Headers in the order of the names; undefined for a file that is skipped. */
async function probeAll(
  root: string,
  { names, skipped: unlisted }: FileList,
  concurrency: number,
  onProgress: ScanOptions['onProgress'],
): Promise<{ infos: (ImageInfo | undefined)[]; skipped: Skipped[] }> {
  const infos = new Array<ImageInfo | undefined>(names.length);
  const reasons = new Map<number, Skipped>();
  let done = 0;
  await forEachIndex(names.length, concurrency, async (i) => {
    const path = resolve(root, names[i]);
    try {
      const info = await probeImage(path);
      if (Math.min(info.width, info.height) >= MIN_SIDE) infos[i] = info;
      else reasons.set(i, { path, reason: `only ${info.width}x${info.height} pixels` });
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      reasons.set(i, { path, reason: error.reason });
    }
    onProgress?.(++done, names.length);
  });
  const inOrder = [...reasons].sort(([a], [b]) => a - b).map(([, skipped]) => skipped);
  return { infos, skipped: [...unlisted, ...inOrder] };
}

async function checkRoot(root: string): Promise<void> {
  try {
    await (await opendir(root)).close();
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) {
      throw new UserError('is a file; a folder of images is needed', {
        where: root,
        remedy: `give the folder that holds it: ${dirname(root)}`,
        cause: error,
      });
    }
    throw new UserError(hasCode(error, 'ENOENT') ? 'there is no such folder' : 'the folder cannot be read', {
      where: root,
      remedy: 'check the path and its permissions',
      cause: error,
    });
  }
}

function noImages(root: string, skipped: readonly Skipped[]): UserError {
  const shown = skipped.slice(0, 3).map(({ path, reason }) => `\n  ${path}: ${reason}`);
  const problem =
    skipped.length === 0
      ? 'holds no images'
      : skipped.length === 1
        ? 'the only image cannot be read'
        : `none of ${skipped.length} images can be read`;
  return new UserError(`${problem}${shown.join('')}`, {
    where: root,
    remedy: 'give a folder with JPEG, PNG, WebP, TIFF, GIF or AVIF files, in it or in its sub-folders',
  });
}
