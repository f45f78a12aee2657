/** Accuracy of a classifier on the validation images: centre crops, inference, any number of images in bounded memory. */

import type { LiveLog } from '../../core/log.js';
import { centerCrops, wholeBlocks } from '../../data/center-crops.js';
import type { ImageDataset } from '../../data/dataset.js';
import type { Step } from '../../engine/step.js';
import { Progress } from '../../report/progress.js';
import { type Accuracy, AccuracyCounter } from '../accuracy.js';

/**
 * Most images of one evaluation step. The reference's recipes have 2,048, for the memory of 32 GPUs; more than this is no
 * faster on a processor, and the figures do not depend on it.
 */
const LARGEST_PIECE = 64;

/** The images of a step, from `batch_size_eval`; the last step, or the only one, is filled up with black. */
export function evaluationPiece(batchSize: number, images: number): number {
  return wholeBlocks(Math.min(batchSize, LARGEST_PIECE, images));
}

export interface ValidationOptions {
  readonly dataset: ImageDataset;
  readonly side: number;
  readonly workers: number;
  /** Images of a step. */
  readonly piece: number;
  readonly log: LiveLog;
}

/** @param step gives `logits` of `piece` images */
export async function validate(step: Step<'images', string>, options: ValidationOptions): Promise<Accuracy> {
  const { dataset, side, workers, piece, log } = options;
  const classes = dataset.classes?.length ?? 0;
  const counter = new AccuracyCounter();
  const progress = new Progress(log, { label: 'validation', total: dataset.count, unit: 'images' });
  let done = 0;
  for await (const batch of centerCrops(dataset.images, { size: side, batch: piece, workers })) {
    for (const { path, reason } of batch.failures) log.warn(`${path}: ${reason}; it is not counted`);
    const { logits } = await step.run({ images: batch.images });
    const labels = Array.from(batch.indices, (image, i) =>
      batch.sound[i] ? dataset.images.label(image) : -1,
    );
    counter.add(logits as Float32Array, labels, classes);
    done += labels.length;
    progress.update(done);
  }
  progress.finish();
  return counter.accuracy;
}
