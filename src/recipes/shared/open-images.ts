/** Opens a data set of images while saying how far it is, and what was found. */

import type { LiveLog } from '../../core/log.js';
import { type DatasetOptions, type ImageDataset, openDataset } from '../../data/dataset.js';
import { withHeaderProgress } from './header-progress.js';

/** @throws UserError as `openDataset` */
export async function openImages(
  options: Pick<DatasetOptions, 'root' | 'annotations' | 'split'>,
  log: LiveLog,
): Promise<ImageDataset> {
  const dataset = await withHeaderProgress(log, (onProgress) => openDataset({ ...options, log, onProgress }));
  const { root, count, classes, skipped } = dataset;
  log.info(
    `${count} images in ${root}` +
      (classes === undefined ? ', no labels' : `, ${classes.length} classes`) +
      (skipped.length > 0 ? `; ${skipped.length} files cannot be used` : ''),
  );
  return dataset;
}
