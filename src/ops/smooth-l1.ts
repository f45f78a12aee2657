import { type Tensor, tf, withGradient } from './tf.js';

/** Below it the parabola's division loses all precision: plain L1, as Detectron2 has it. */
const SMALLEST_BETA = 1e-5;

/**
 * Smooth L1 (Girshick, Fast R-CNN, 2015): d^2 / (2 beta) for |d| < beta, else |d| - beta / 2, with d = x - target. Without
 * beta it is L1, whose slope at 0 is 0.
 *
 * @param x any shape, sides may be open
 * @param target the same shape
 * @returns the sum over all elements, a scalar; 0 for none
 */
export function smoothL1(x: Tensor, target: Tensor, beta: number): Tensor {
  return withGradient([x], () => {
    const difference = tf.sub(x, target);
    const distance = tf.abs(difference);
    if (beta < SMALLEST_BETA) {
      return { value: tf.sum(distance), saved: [tf.sign(difference)], gradient: times };
    }
    // Both pieces at once: with c = min(|d|, beta), c^2 / (2 beta) + (|d| - c).
    const inside = tf.minimum(distance, beta);
    const parabola = tf.mul(tf.square(inside), 0.5 / beta);
    return {
      value: tf.sum(tf.add(parabola, tf.sub(distance, inside))),
      saved: [tf.clipByValue(tf.mul(difference, 1 / beta), -1, 1)],
      gradient: times,
    };
  });
}

function times(dy: Tensor, [slope]: Tensor[]): Tensor[] {
  return [tf.mul(slope, dy)];
}
