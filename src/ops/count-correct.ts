import { type Tensor, tf } from './tf.js';

/**
 * How many rows have their largest logit at their label.
 *
 * @param logits [R, C]
 * @param labels [R] int32
 * @returns scalar float32
 */
export function countCorrect(logits: Tensor, labels: Tensor): Tensor {
  return tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), labels), 'float32'));
}
