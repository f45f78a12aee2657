/** Opens a data set of images while saying how far it is, and what was found. */

import { counted } from '../../core/counted.js';
import type { LiveLog } from '../../core/log.js';
import { type DatasetOptions, type ImageDataset, openDataset } from '../../data/dataset.js';
import { withHeaderProgress } from './header-progress.js';
import { nameFiles } from './name-files.js';

/** @throws UserError as `openDataset` */
export async function openImages(
  options: Pick<DatasetOptions, 'root' | 'annotations' | 'split'>,
  log: LiveLog,
): Promise<ImageDataset> {
  const dataset = await withHeaderProgress(log, (onProgress) => openDataset({ ...options, log, onProgress }));
  const { root, count, classes, skipped } = dataset;
  const labels = classes === undefined ? 'no labels' : counted(classes.length, 'class', 'classes');
  log.info(`${counted(count, 'image')} in ${root}, ${labels}`);
  if (skipped.length > 0) log.warn(`${counted(skipped.length, 'file')} cannot be used${nameFiles(skipped)}`);
  return dataset;
}
