/**
 * The regression loss of BYOL and SCRL (SCRL, equation 3): squared distance of L2-normalised vectors, that is
 * 2 - 2 cos, from each view's prediction to the other view's projection, both directions added.
 */

import { l2Normalize } from '../../ops/normalize.js';
import { expectShape, type Tensor, tf } from '../../ops/tf.js';

/**
 * @param predictions [2R, C] of the online network, rows of view 1 first
 * @param targets [2R, C] of the target network in the same order; no gradient reaches them
 * @param weights [R, 1], 0 for rows that are padding; their sum must be positive
 * @returns scalar in 0 to 8: the weighted mean over rows of both directions' sum
 */
export function regressionLoss(predictions: Tensor, targets: Tensor, weights: Tensor): Tensor {
  const [rows, channels] = predictions.shape;
  expectShape('the targets of the loss', targets, [rows, channels]);
  expectShape('the weights of the loss', weights, [rows / 2, 1]);
  const p = l2Normalize(predictions);
  const z = l2Normalize(targets);
  const [z1, z2] = tf.split(z, 2);
  const cosines = tf.sum(tf.mul(p, tf.concat([z2, z1])), 1, true);
  const [forward, backward] = tf.split(cosines, 2);
  const distances = tf.sub(4, tf.mul(2, tf.add(forward, backward)));
  return tf.div(tf.sum(tf.mul(distances, weights)), tf.sum(weights));
}
