/** Gauges of collapse, computed in the step: a network that gives the same output for every input has spread 0. */

import { l2Normalize } from '../../ops/normalize.js';
import { type Tensor, tf } from '../../ops/tf.js';

/**
 * Standard deviation of the normalised outputs over rows, averaged over channels and scaled so that outputs spread
 * evenly over the sphere give 1.
 *
 * @param outputs [R, C]
 * @param weights [R, 1], 0 for padding rows
 * @returns scalar
 */
export function outputSpread(outputs: Tensor, weights: Tensor): Tensor {
  const channels = outputs.shape[1] as number;
  const y = l2Normalize(outputs);
  const count = tf.sum(weights);
  const mean = tf.div(tf.matMul(weights, y, true), count);
  const variance = tf.div(tf.matMul(weights, tf.square(tf.sub(y, mean)), true), count);
  return tf.mul(tf.mean(tf.sqrt(variance)), Math.sqrt(channels));
}
