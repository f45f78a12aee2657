/** What a detector is trained on and judged by, as the configuration has it. */

import type { DetectConfig } from '../../config/schemas/detect.js';
import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { aspectBatches, inOrder } from '../../data/aspect-batches.js';
import { type DetectionDataset, openDetectionDataset } from '../../data/detection-dataset.js';
import { type DetectionBatch, isWide, loadDetections } from '../../data/detection-loader.js';
import { withHeaderProgress } from '../shared/header-progress.js';

/** How likely a training image is mirrored. */
const FLIP = 0.5;

/** @throws UserError when the configuration names no such data, or with all that is wrong with it */
export async function openSplit(
  config: DetectConfig,
  split: 'train' | 'val',
  log: LiveLog,
): Promise<DetectionDataset> {
  const { skip_invalid: skipInvalid, keep_empty: keep } = config.dataset;
  const { images, annotations } = config.dataset[split];
  if (images === null || annotations === null) {
    const key = `dataset/${split}/${images === null ? 'images' : 'annotations'}`;
    throw new UserError('is not set', { key, remedy: `add --${key}` });
  }
  const dataset = await withHeaderProgress(log, (onProgress) =>
    openDetectionDataset({
      annotations,
      images,
      masks: config.model.masks,
      skipInvalid,
      keepEmpty: split === 'val' || keep,
      onProgress,
      log,
    }),
  );
  const objects = dataset.records.rows.reduce((sum, rows) => sum + rows.length, 0);
  log.info(`${annotations}: ${dataset.count} images, ${objects} objects, ${dataset.classes.length} classes`);
  return dataset;
}

export interface TrainingBatchOptions {
  /** First step. */
  firstStep: number;
  /** See `DetectionLoaderOptions`. */
  keepCrowds?: boolean;
}

/** The batches that a run trains on, from a step on, without end. */
export function trainingBatches(
  { seed, input, train }: DetectConfig,
  dataset: DetectionDataset,
  { firstStep, keepCrowds = false }: TrainingBatchOptions,
): AsyncGenerator<DetectionBatch, void, void> {
  return loadDetections({
    dataset,
    batches: aspectBatches({
      seed,
      count: dataset.count,
      isWide: (image) => isWide(dataset, image),
      batchSize: train.batch_size,
      firstStep,
    }),
    augmentation: {
      shortEdges: input.min_size_train,
      maxSize: input.max_size_train,
      flipProbability: input.flip ? FLIP : 0,
    },
    seed,
    workers: train.num_workers,
    keepCrowds,
  });
}

/** Every image once, in order, as it is judged: of one size, not mirrored; the last batch may be short. */
export function evaluationBatches(
  { seed, input, train }: DetectConfig,
  dataset: DetectionDataset,
  batchSize: number,
): AsyncGenerator<DetectionBatch, void, void> {
  return loadDetections({
    dataset,
    batches: inOrder(dataset.count, batchSize),
    augmentation: { shortEdges: [input.min_size_test], maxSize: input.max_size_test, flipProbability: 0 },
    seed,
    workers: train.num_workers,
  });
}
