/**
 * Batch normalisation in single operations: its sums are in the open, so that replicas can add theirs (SyncBN), and they are
 * added up axis by axis. TensorFlow's fused operation adds one by one over all cells; through fifty random layers that grows to
 * ten times the noise of PyTorch, which sums in double precision.
 *
 * Running statistics as in `batch-norm.ts`, which is faster and serves where neither counts.
 */

import { type ChannelStatistics, EPSILON, MOMENTUM, normalizedBy } from './batch-norm.js';
import { recomputed } from './recompute.js';
import { shapeOf } from './shape.js';
import { expectShape, FLOAT, INT, op, type Tensor, tf, withGradient } from './tf.js';

export interface SyncBatchNormOptions {
  /** Adds a scalar or [C] tensor over all replicas; by default there is one replica. */
  sum?: (partial: Tensor) => Tensor;
}

/**
 * @param x [N, H, W, C], sides may be open; without any cell the running statistics stay as they are
 * @param scale, offset [C]
 * @param running statistics before this batch
 * @returns the output, and the running statistics after this batch
 */
export function syncBatchNorm(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  running: ChannelStatistics,
  { sum = (partial) => partial }: SyncBatchNormOptions = {},
): { y: Tensor; running: ChannelStatistics } {
  expectShape('the input of syncBatchNorm', x, ['N', 'H', 'W', scale.shape[0]]);
  let updated: ChannelStatistics | undefined;
  const y = withGradient([x, scale, offset], () => {
    const cells = sum(cellCount(x));
    const count = tf.maximum(cells, 1);
    const mean = tf.div(sum(sumOfCells(x)), count);
    const variance = tf.div(sum(sumOfCells(op('SquaredDifference', [x, mean], FLOAT))), count);
    const unbiased = tf.mul(variance, tf.div(count, tf.maximum(tf.sub(count, 1), 1)));
    updated = {
      mean: tf.keep(blend(running.mean, mean, cells)),
      variance: tf.keep(blend(running.variance, unbiased, cells)),
    };
    return {
      value: normalizedBy(x, scale, offset, { mean, variance }),
      saved: [x, scale, mean, variance, count],
      gradient: (dy, [kept, scale, mean, variance, count]) => {
        const x = recomputed(kept, dy);
        const inverse = tf.rsqrt(tf.add(variance, EPSILON));
        const dOffset = sumOfCells(dy);
        const dScale = tf.mul(sumOfCells(op('Mul', [dy, op('Sub', [x, mean], FLOAT)], FLOAT)), inverse);
        // dx = scale / deviation (dy - mean of dy - normalised x * mean of (dy * normalised x)), in terms of dy and x.
        const ofDy = tf.mul(scale, inverse);
        const ofX = tf.neg(tf.mul(tf.mul(ofDy, inverse), tf.div(sum(dScale), count)));
        const rest = tf.neg(tf.add(tf.mul(ofDy, tf.div(sum(dOffset), count)), tf.mul(ofX, mean)));
        const linear = op('AddV2', [op('Mul', [dy, ofDy], FLOAT), op('Mul', [x, ofX], FLOAT)], FLOAT);
        return [op('AddV2', [linear, rest], FLOAT), dScale, dOffset];
      },
    };
  });
  if (updated === undefined) throw new Error('unreachable: syncBatchNorm was not traced');
  return { y, running: updated };
}

/** N H W as float32. */
function cellCount(x: Tensor): Tensor {
  const sides = op('Slice', [shapeOf(x), tf.tensor1d([0], 'int32'), tf.tensor1d([3], 'int32')], {
    T: INT,
    Index: INT,
  });
  return tf.prod(tf.cast(sides, 'float32'));
}

/** Sums over all cells, [N, H, W, C] to [C]: over W, then H, then N, so that no sum has many terms. */
function sumOfCells(x: Tensor): Tensor {
  return [2, 1, 0].reduce(
    (partial, axis) =>
      op('Sum', [partial, tf.scalar(axis, 'int32')], {
        ...FLOAT,
        Tidx: INT,
        keep_dims: { kind: 'bool', value: false },
      }),
    x,
  );
}

/** The running statistics after a batch; what they were when it has no cells. */
function blend(before: Tensor, batch: Tensor, cells: Tensor): Tensor {
  const share = tf.mul(MOMENTUM, tf.cast(tf.greater(cells, 0), 'float32'));
  return tf.add(tf.mul(before, tf.sub(1, share)), tf.mul(batch, share));
}
