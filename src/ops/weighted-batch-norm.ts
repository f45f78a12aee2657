/**
 * Batch normalisation over rows of which some are padding.
 *
 * A compiled step has fixed shapes, but the number of boxes varies from batch to batch: the free rows are padding, must
 * not touch the statistics, and must get no gradient. TensorFlow has no fused operation for that, so this one is
 * composed. Sums over rows go through `sum`, the place where replicas add theirs (synchronised batch norm).
 */

import { type ChannelStatistics, EPSILON, MOMENTUM } from './batch-norm.js';
import { expectShape, type Tensor, tf, withGradient } from './tf.js';

export interface WeightedBatchNormOptions {
  /** Adds a [1, C] or [1, 1] tensor over all replicas; by default there is one replica. */
  sum?: (partial: Tensor) => Tensor;
}

/**
 * @param x [R, C]
 * @param weights [R, 1], 1 for a row that counts and 0 for padding; at least two rows must count
 * @param scale, offset [C]
 * @param running statistics before this batch
 * @returns [R, C] (padding rows hold values without meaning), and the running statistics after this batch
 */
export function weightedBatchNorm(
  x: Tensor,
  weights: Tensor,
  scale: Tensor,
  offset: Tensor,
  running: ChannelStatistics,
  { sum = (partial) => partial }: WeightedBatchNormOptions = {},
): { y: Tensor; running: ChannelStatistics } {
  expectShape('the input of weightedBatchNorm', x, ['R', scale.shape[0]]);
  expectShape('the weights of weightedBatchNorm', weights, [x.shape[0], 1]);
  let updated: ChannelStatistics | undefined;
  const y = withGradient([x, scale, offset], () => {
    const count = sum(tf.reshape(tf.sum(weights), [1, 1]));
    // A matrix product with the weights is the fastest way to add up rows.
    const mean = tf.div(sum(tf.matMul(weights, x, true)), count);
    const centered = tf.sub(x, mean);
    const variance = tf.div(sum(tf.matMul(weights, tf.square(centered), true)), count);
    const inverse = tf.rsqrt(tf.add(variance, EPSILON));
    const normalized = tf.mul(centered, inverse);
    const unbiased = tf.mul(variance, tf.div(count, tf.sub(count, 1)));
    updated = {
      mean: tf.keep(blend(running.mean, mean)),
      variance: tf.keep(blend(running.variance, unbiased)),
    };
    return {
      value: tf.add(tf.mul(normalized, scale), offset),
      saved: [normalized, inverse, scale, count],
      gradient: (dy, [normalized, inverse, scale, count]) => {
        const counted = tf.mul(dy, weights);
        const dOffset = tf.matMul(weights, counted, true);
        const dScale = tf.matMul(weights, tf.mul(counted, normalized), true);
        const meanTerm = tf.div(sum(dOffset), count);
        const scaleTerm = tf.div(sum(dScale), count);
        const inner = tf.sub(counted, tf.mul(weights, tf.add(meanTerm, tf.mul(normalized, scaleTerm))));
        return [tf.mul(inner, tf.mul(inverse, scale)), tf.reshape(dScale, [-1]), tf.reshape(dOffset, [-1])];
      },
    };
  });
  if (updated === undefined) throw new Error('unreachable: weightedBatchNorm was not traced');
  return { y, running: updated };
}

function blend(old: Tensor, batch: Tensor): Tensor {
  return tf.add(tf.mul(old, 1 - MOMENTUM), tf.mul(tf.reshape(batch, [-1]), MOMENTUM));
}
