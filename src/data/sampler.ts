/**
 * The order in which images are seen: one permutation per epoch, keyed by the true epoch, cut into batches.
 *
 * Differs from the reference, whose permutations lag behind the epoch by the depth of prefetching and start again at
 * the first one after a resume.
 */

import { RandomStream } from '../core/rng.js';

export interface Batch {
  /** Position within the epoch, from 0. */
  step: number;
  /** [N] indices of images */
  indices: Uint32Array;
}

export interface BatchOptions {
  batchSize: number;
  /** Leave out a last batch that is not full. Default false: it is short. */
  dropLast?: boolean;
  /** First batch to yield, for a resume within an epoch. Default 0. */
  firstStep?: number;
}

/** A permutation of 0 to count - 1. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return new RandomStream(seed, 'order', epoch).shuffle(Uint32Array.from({ length: count }, (_, i) => i));
}

/** The batches of one epoch; the indices are views of `order`. */
export function* epochBatches(order: Uint32Array, options: BatchOptions): Generator<Batch> {
  const { batchSize, dropLast = false, firstStep = 0 } = options;
  const smallest = dropLast ? batchSize : 1;
  for (let step = firstStep; order.length - step * batchSize >= smallest; step++) {
    yield { step, indices: order.subarray(step * batchSize, (step + 1) * batchSize) };
  }
}
