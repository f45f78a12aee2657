/** Looks at a data set before anything is trained on it, and says in words what is odd, what is wrong, and what to do. */

import { stat } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { UserError } from '../../core/errors.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { checkAnnotations } from './annotations.js';
import { checkFolder } from './folder.js';
import type { DataReport } from './report.js';

export type { DataReport, Finding } from './report.js';

export interface DataCheckOptions {
  /** A folder of images, or a JSON file in the form of COCO. */
  readonly given: string;
  /** For a JSON file: the folder that each `file_name` is relative to; default its own folder. */
  readonly images?: string | undefined;
  /** For a JSON file: every object needs a mask. */
  readonly masks?: boolean;
  readonly log?: LiveLog;
}

/** @throws UserError when there is nothing to look at, or nothing that can be used */
export async function checkData({
  given,
  images,
  masks = false,
  log = SILENT,
}: DataCheckOptions): Promise<DataReport> {
  const status = await stat(given).catch(() => undefined);
  if (status === undefined) throw new UserError('there is no such file or folder', { where: given });
  const isFile = !status.isDirectory();
  if (isFile && extname(given).toLowerCase() !== '.json') {
    throw new UserError('is neither a folder of images nor a JSON file of annotations', { where: given });
  }
  if (!isFile && (images !== undefined || masks)) {
    throw new UserError('goes with a file of annotations only', {
      key: images === undefined ? '--masks' : '--images',
    });
  }
  return isFile
    ? checkAnnotations({ annotations: given, images: images ?? dirname(given), masks }, log)
    : checkFolder(given, log);
}
