/** What a detector is trained on and judged by, as the configuration has it. */

import type { DetectConfig } from '../../config/schemas/detect.js';
import { counted } from '../../core/counted.js';
import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { aspectBatches } from '../../data/aspect-batches.js';
import { type DetectionDataset, openDetectionDataset } from '../../data/detection-dataset.js';
import { type DetectionBatch, isWide, loadDetections } from '../../data/detection-loader.js';
import { withHeaderProgress } from '../shared/header-progress.js';

/** Categories that a message names. */
const SHOWN = 5;
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
  log.info(
    `${annotations}: ${counted(dataset.count, 'image')}, ${counted(objects, 'object')}, ${counted(dataset.classes.length, 'class', 'classes')}`,
  );
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

/** Ids of the classes, in their order. */
export function categoryIdsOf({ records }: DetectionDataset): number[] {
  return records.categories.map(({ id }) => id);
}

/** @throws UserError when the configuration has another number of classes than the annotations */
export function requireClasses({ model }: DetectConfig, { classes, records }: DetectionDataset): void {
  if (model.classes === null || model.classes === classes.length) return;
  throw new UserError(`has ${classes.length} categories, but the configuration ${model.classes}`, {
    where: records.where,
    key: 'model/classes',
    value: model.classes,
    remedy: 'set model/classes to null: then it follows the annotations',
  });
}

/**
 * Classes are positions in the list of categories: they mean the same only when the lists are the same.
 *
 * @throws UserError naming what only one of them has
 */
export function requireSameCategories(
  expected: {
    readonly classes: readonly string[];
    readonly categoryIds: readonly number[];
    readonly where: string;
  },
  data: DetectionDataset,
): void {
  const ids = categoryIdsOf(data);
  const same = (a: readonly unknown[], b: readonly unknown[]) =>
    a.length === b.length && a.every((x, i) => x === b[i]);
  if (same(ids, expected.categoryIds) && same(data.classes, expected.classes)) return;
  const list = (numbers: readonly number[], names: readonly string[]) =>
    numbers.map((id, i) => `${id} ${names[i]}`);
  const [ours, theirs] = [list(expected.categoryIds, expected.classes), list(ids, data.classes)];
  const only = (a: readonly string[], b: readonly string[]) => {
    const missing = a.filter((item) => !b.includes(item));
    const more = missing.length > SHOWN ? `, and ${missing.length - SHOWN} more` : '';
    return missing.length === 0 ? 'none' : `${missing.slice(0, SHOWN).join(', ')}${more}`;
  };
  throw new UserError(`has other categories than ${expected.where}`, {
    where: data.records.where,
    key: 'categories',
    remedy: `only there: ${only(ours, theirs)}; only here: ${only(theirs, ours)}`,
  });
}
