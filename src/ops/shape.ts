/**
 * Shapes of which some sides are open: -1 in a tensor's shape, known only when the step runs. Where all sides are known
 * nothing is asked at run time.
 */

import { INT, isClosed, op, type Tensor, TF_FLOAT, tf, toOutput } from './tf.js';

/** The shape of a tensor as a tensor, [rank] int32. */
export function shapeOf(x: Tensor): Tensor {
  if (isClosed(x)) return tf.tensor1d(x.shape, 'int32');
  return op('Shape', [x], { T: { kind: 'type', value: toOutput(x).dtype }, out_type: INT });
}

/** One side of a tensor, a scalar int32. */
export function sideOf(x: Tensor, axis: number): Tensor {
  const known = x.shape[axis] as number;
  if (known >= 0) return tf.scalar(known, 'int32');
  const range = [tf.tensor1d([axis], 'int32'), tf.tensor1d([1], 'int32')];
  return tf.reshape(op('Slice', [shapeOf(x), ...range], { T: INT, Index: INT }), []);
}

/**
 * The result of a convolution, with the right shape also when there is nothing to convolve: oneDNN then gives it the shape
 * of the input. Free otherwise, but TensorFlow no longer does the addition of a bias together with it.
 *
 * @param y [N, H', W', O], what was made from `x`
 * @param x [N, H, W, I]; where N is open, the other sides are known
 */
export function rightWhenEmpty(y: Tensor, x: Tensor): Tensor {
  const [n, ...before] = x.shape;
  const [, ...after] = y.shape;
  const isSame = before.every((side, i) => side === after[i]);
  if ((n as number) >= 0 || isSame || after.some((side) => side < 0)) return y;
  return op('Reshape', [y, tf.tensor1d([-1, ...after], 'int32')], {
    T: { kind: 'type', value: TF_FLOAT },
    Tshape: INT,
  });
}

/** A number of a shape as float32, at least 1: something to divide by. */
export function divisor(side: Tensor): Tensor {
  return tf.cast(tf.maximum(side, tf.scalar(1, 'int32')), 'float32');
}

/** Says what is known of a shape, float32; what is false fails when the step runs. It has no gradient. */
export function ensureShape(x: Tensor, shape: readonly number[]): Tensor {
  return op('EnsureShape', [x], {
    T: { kind: 'type', value: TF_FLOAT },
    shape: { kind: 'shape', value: shape },
  });
}
