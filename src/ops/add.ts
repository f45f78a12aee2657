import { again, isRecomputable, recomputable } from './recompute.js';
import { FLOAT, op, operation, type Tensor, toOutput, withGradient } from './tf.js';

/** a + b of equal shapes, as a residual block adds its shortcut. */
export function add(a: Tensor, b: Tensor): Tensor {
  return withGradient([a, b], () => {
    const value = op('AddV2', [a, b], FLOAT);
    if (isRecomputable(a) || isRecomputable(b)) {
      const left = toOutput(a);
      const right = toOutput(b);
      recomputable(
        value,
        (after) => operation('AddV2', [again(left, after), again(right, after)], FLOAT).outputs[0],
      );
    }
    return { value, saved: [], gradient: (dy) => [dy, dy] };
  });
}
