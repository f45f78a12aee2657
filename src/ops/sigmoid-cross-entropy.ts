import { FLOAT, op, type Tensor, tf, withGradient } from './tf.js';

/**
 * Binary cross-entropy of sigmoid(x), in a form that does not overflow: max(x, 0) - x t + log(1 + exp(-|x|)).
 *
 * @param logits any shape, sides may be open
 * @param targets the same shape, 0 to 1
 * @returns the sum over all elements, a scalar; 0 for none
 */
export function sigmoidCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return withGradient([logits], () => {
    const rest = op('Softplus', [tf.neg(tf.abs(logits))], FLOAT);
    const each = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), rest);
    return {
      value: tf.sum(each),
      saved: [tf.sub(tf.sigmoid(logits), targets)],
      gradient: (dy, [slope]) => [tf.mul(slope, dy)],
    };
  });
}
