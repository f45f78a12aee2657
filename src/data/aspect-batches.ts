/**
 * The order in which a detector sees its images: shuffled epochs without end, cut into batches of wide or of tall images, so
 * that little is padded.
 *
 * As Detectron2's TrainingSampler and AspectRatioGroupedDataset: an image waits in the bucket of its shape until a batch of
 * that shape is full, across the ends of epochs. A batch is addressed by its step alone: a resumed run deals the images out
 * again from the beginning, without decoding any.
 */

import { type Batch, epochBatches, epochOrder } from './sampler.js';

export interface AspectBatch extends Batch {
  /** Of the run, from 0. */
  step: number;
  /** [N] the epoch that each image was dealt in */
  epochs: Uint32Array;
}

export interface AspectBatchOptions {
  seed: number;
  /** Number of images, at least 1. */
  count: number;
  /** Whether an image is wider than high. */
  isWide: (image: number) => boolean;
  batchSize: number;
  /** First step to yield. Default 0. */
  firstStep?: number;
}

/** Never ends. */
export function* aspectBatches(options: AspectBatchOptions): Generator<AspectBatch, never, void> {
  const { seed, count, isWide, batchSize, firstStep = 0 } = options;
  const wide: [image: number, epoch: number][] = [];
  const tall: typeof wide = [];
  let step = 0;
  for (let epoch = 0; ; epoch++) {
    for (const image of epochOrder(seed, epoch, count)) {
      const bucket = isWide(image) ? wide : tall;
      bucket.push([image, epoch]);
      if (bucket.length < batchSize) continue;
      const dealt = bucket.splice(0);
      if (step >= firstStep) {
        yield {
          step,
          indices: Uint32Array.from(dealt, ([index]) => index),
          epochs: Uint32Array.from(dealt, ([, dealtIn]) => dealtIn),
        };
      }
      step++;
    }
  }
}

/** Every image once, in order; the last batch may be short. What evaluation sees. */
export function* inOrder(count: number, batchSize: number): Generator<AspectBatch, void, void> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (const batch of epochBatches(order, { batchSize })) {
    yield { ...batch, epochs: new Uint32Array(batch.indices.length) };
  }
}
