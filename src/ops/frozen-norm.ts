/**
 * Batch norm that does not change: statistics and affine part are constants (FrozenBatchNorm2d of Detectron2).
 *
 * y = x s + (bias - mean s) with s = weight / sqrt(variance + eps). A convolution before it takes s into its filter: then
 * all that is left is one addition, which TensorFlow does together with convolution and ReLU.
 */

import { EPSILON } from './batch-norm.js';
import { expectShape, FLOAT, op, type Tensor, tf, withGradient } from './tf.js';

/** The four buffers, [C] each. */
export interface FrozenStatistics {
  weight: Tensor;
  bias: Tensor;
  mean: Tensor;
  variance: Tensor;
}

/** y = x scale + shift, [C] each. Constants: no gradient reaches them. */
export interface ScaleShift {
  scale: Tensor;
  shift: Tensor;
}

export function frozenScaleShift({ weight, bias, mean, variance }: FrozenStatistics): ScaleShift {
  const scale = tf.mul(weight, tf.rsqrt(tf.add(variance, EPSILON)));
  return { scale, shift: tf.sub(bias, tf.mul(mean, scale)) };
}

/**
 * A filter whose outputs are scaled. The gradient goes to the filter only.
 *
 * @param filter [kh, kw, I, O]
 * @param scale [O]
 */
export function scaleFilter(filter: Tensor, scale: Tensor): Tensor {
  expectShape('the scale of a filter', scale, [filter.shape[3] as number]);
  return withGradient([filter], () => ({
    value: op('Mul', [filter, scale], FLOAT),
    saved: [],
    gradient: (dy) => [op('Mul', [dy, scale], FLOAT)],
  }));
}
