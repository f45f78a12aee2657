/** Opens a data set of images while saying how far it is, and what was found. */

import type { LiveLog } from '../../core/log.js';
import { type DatasetOptions, type ImageDataset, openDataset } from '../../data/dataset.js';
import { Progress } from '../../report/progress.js';

/** @throws UserError as `openDataset` */
export async function openImages(
  options: Pick<DatasetOptions, 'root' | 'annotations' | 'split'>,
  log: LiveLog,
): Promise<ImageDataset> {
  let progress: Progress | undefined;
  const dataset = await openDataset({
    ...options,
    log,
    onProgress: (done, total) => {
      progress ??= new Progress(log, { label: 'reading image headers', total, unit: 'files' });
      progress.update(done);
    },
  });
  progress?.finish();
  const { root, count, classes, skipped } = dataset;
  log.info(
    `${count} images in ${root}` +
      (classes === undefined ? ', no labels' : `, ${classes.length} classes`) +
      (skipped.length > 0 ? `; ${skipped.length} files cannot be used` : ''),
  );
  return dataset;
}
