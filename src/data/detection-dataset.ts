/** Opens a detection data set: annotations, headers of the images, and a check of one against the other. */

import { resolve } from 'node:path';
import { type LiveLog, SILENT } from '../core/log.js';
import { type DatasetOptions, openDataset } from './dataset.js';
import { checkDetectionData, type FileFinding } from './detection-check.js';
import { type DetectionRecords, readDetectionRecords } from './detection-records.js';
import type { ImageTable } from './image-table.js';

export interface DetectionDatasetOptions {
  /** Path of a JSON file in COCO's form. */
  annotations: string;
  /** Folder that each `file_name` is relative to, unless it is absolute. */
  images: string;
  /** Read shapes too; every object must have one then. */
  masks: boolean;
  /** See `DetectionCheck`. Default false. */
  skipInvalid?: boolean;
  keepEmpty?: boolean;
  onProgress?: DatasetOptions['onProgress'];
  log?: LiveLog;
}

export interface DetectionDataset {
  records: DetectionRecords;
  /** Images of the records. */
  count: number;
  files: ImageTable;
  /** [count] position of each image's file */
  fileOf: Int32Array;
  /** [K] names of the classes */
  classes: string[];
}

/** @throws UserError when a file or folder cannot be read, with all faults that are found, or when nothing is left */
export async function openDetectionDataset(options: DetectionDatasetOptions): Promise<DetectionDataset> {
  const { annotations, images: root, masks, skipInvalid = false, keepEmpty = false } = options;
  const { onProgress, log = SILENT } = options;
  const { images: files, skipped } = await openDataset({
    root,
    annotations,
    log,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const findings = new Map<string, FileFinding>(skipped.map(({ path, reason }) => [path, { reason }]));
  for (let index = 0; index < files.count; index++) findings.set(files.path(index), { index });
  const find = (name: string): FileFinding =>
    findings.get(resolve(root, name)) ?? { reason: 'was not found' };
  const all = readDetectionRecords(resolve(annotations), masks);
  const records = checkDetectionData(all, { files, find, skipInvalid, keepEmpty, log });
  const fileOf = Int32Array.from(records.images, ({ file_name: name = '' }) => {
    const found = find(name);
    return 'index' in found ? found.index : -1;
  });
  const classes = records.categories.map(({ name }) => name);
  return { records, count: records.images.length, files, fileOf, classes };
}
