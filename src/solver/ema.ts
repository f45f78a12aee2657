import type { Operation } from '../engine/types.js';
import type { Variable } from '../engine/variable.js';
import { alsoRun, FLOAT, operation, scope, type Tensor, tf, toTensor } from '../ops/tf.js';

/**
 * Records the exponential moving average of the target network: target = m target + (1 - m) online, for parameters only
 * (running statistics stay each network's own), after the online parameters have been updated.
 *
 * @param pairs target and online parameter, and the operation that updates the online one
 * @param rate scalar 1 - m; not m itself, because near the end of a run float32 cannot tell m from 1
 */
export function updateTarget(
  pairs: readonly { target: Variable; online: Variable; updated: Operation }[],
  rate: Tensor,
): void {
  for (const { target, online, updated } of pairs) {
    scope(`ema/${target.name}`, () => {
      const fresh = toTensor(online.readAfter([updated]).outputs[0]);
      // target -= (1 - m) (target - online), in place.
      const step = operation(
        'ResourceApplyGradientDescent',
        [target.handle, rate, tf.sub(target.read(), fresh)],
        FLOAT,
      );
      alsoRun(step);
    });
  }
}
