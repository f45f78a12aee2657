import { TF_FLOAT } from '../engine/types.js';
import { expectClosed, expectShape, op, type Tensor, tf, withGradient } from './tf.js';

/**
 * RoIAlign as a batched matrix product of interpolation weights with a small feature map: exact for any number of
 * sampling points, and one TensorFlow operation forward and backward. The weights come from `roi-align-weights.ts`.
 *
 * @param features [B, H, W, C]
 * @param weights [B, K, H * W], constant: no gradient reaches them
 * @returns [B, K, C]; a row of zero weights gives zeros
 */
export function roiAlign(features: Tensor, weights: Tensor): Tensor {
  expectShape('the features of roiAlign', features, ['B', 'H', 'W', 'C']);
  expectClosed('the features of roiAlign', features);
  const [b, h, w, c] = features.shape;
  expectShape('the weights of roiAlign', weights, [b, 'K', h * w]);
  return withGradient([features], () => ({
    value: batchMatMul(weights, tf.reshape(features, [b, h * w, c]), false),
    saved: [],
    gradient: (dy) => [tf.reshape(batchMatMul(weights, dy, true), [b, h, w, c])],
  }));
}

function batchMatMul(a: Tensor, b: Tensor, transposeA: boolean): Tensor {
  return op('BatchMatMulV2', [a, b], {
    T: { kind: 'type', value: TF_FLOAT },
    adj_x: { kind: 'bool', value: transposeA },
    adj_y: { kind: 'bool', value: false },
  });
}
