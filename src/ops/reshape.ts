import { shapeOf } from './shape.js';
import { INT, op, type Tensor, TF_FLOAT, tf, withGradient } from './tf.js';

const ATTRIBUTES = {
  T: { kind: 'type', value: TF_FLOAT },
  Tshape: INT,
} as const;

/**
 * The same elements in another shape. Unlike tfjs's own, sides of `x` may be open.
 *
 * @param shape one side may be -1: what is left
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return withGradient([x], () => {
    const before = shapeOf(x);
    return {
      value: op('Reshape', [x, tf.tensor1d([...shape], 'int32')], ATTRIBUTES),
      saved: [],
      gradient: (dy) => [op('Reshape', [dy, before], ATTRIBUTES)],
    };
  });
}
