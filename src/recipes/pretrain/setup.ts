/** What pretraining, its dry run and the preview open in common: the data set and the plan. */

import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import type { ImageDataset } from '../../data/dataset.js';
import { fingerprintImages } from '../../data/fingerprint.js';
import { openImages } from '../shared/open-images.js';
import { makePlan, type Plan } from './plan.js';

/** Fewer images than this and the reference's authors expect little (issue 8 of the reference). */
const FEW_IMAGES = 100_000;

export async function openData(config: Config, log: LiveLog): Promise<{ dataset: ImageDataset; plan: Plan }> {
  const { root, annotations } = config.dataset;
  if (root === null) {
    throw new UserError('no images are given', {
      key: 'dataset/root',
      remedy: 'add --dataset/root FOLDER, any folder with images',
    });
  }
  const dataset = await openImages({ root, ...(annotations !== null && { annotations }) }, log);
  const plan = makePlan(config, dataset, await fingerprintImages(dataset.images));
  const { count, classes } = dataset;
  if (config.train.online_eval && classes === undefined) {
    log.info('online evaluation is off: the images have no class folders');
  }
  if (count < FEW_IMAGES)
    log.debug(`few images for self-supervised learning: ${count} (ImageNet has 1.28 million)`);
  return { dataset, plan };
}
