import { expectShape, type Tensor, tf, withGradient } from './tf.js';

/** Keeps a row of zeros finite; PyTorch's `normalize` has the same default. */
const EPSILON = 1e-12;

/**
 * Rows divided by their Euclidean norm.
 *
 * @param x [R, C]
 * @returns [R, C]; the gradient is that of a row whose norm is above 1e-12
 */
export function l2Normalize(x: Tensor): Tensor {
  expectShape('the input of l2Normalize', x, ['R', 'C']);
  return withGradient([x], () => {
    const norm = tf.maximum(tf.sqrt(tf.sum(tf.square(x), 1, true)), EPSILON);
    const value = tf.div(x, norm);
    return {
      value,
      saved: [value, norm],
      gradient: (dy, [y, norm]) => [tf.div(tf.sub(dy, tf.mul(y, tf.sum(tf.mul(dy, y), 1, true))), norm)],
    };
  });
}
