import { again, isRecomputable, recomputable, recomputed } from './recompute.js';
import { FLOAT, op, operation, type Tensor, toOutput, withGradient } from './tf.js';

/** max(x, 0), any shape. tfjs's own gradient multiplies by a step mask, which costs a third of a ResNet's step. */
export function relu(x: Tensor): Tensor {
  return withGradient([x], () => {
    const value = op('Relu', [x], FLOAT);
    if (isRecomputable(x)) {
      const input = toOutput(x);
      recomputable(value, (after) => operation('Relu', [again(input, after)], FLOAT).outputs[0]);
    }
    return {
      value,
      saved: [value],
      gradient: (dy, [y]) => [op('ReluGrad', [dy, recomputed(y, dy)], FLOAT)],
    };
  });
}
