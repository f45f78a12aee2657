/**
 * LARS on SGD with momentum (You et al., 2017), in the graph. The state is one momentum buffer for each parameter.
 *
 * Adapted parameters: g' = a (g + decay p) with a = trust |p| / (|g| + decay |p| + 1e-8), or 1 when a norm is 0.
 * Excluded parameters: g' = g, no decay. Then buffer = momentum buffer + g' and p = p - lr buffer. This is
 * torchlars 0.1.2; the reference multiplies an excluded parameter's gradient by lr once more (`squaredRate`).
 */

import type { Runtime } from '../engine/runtime.js';
import type { Operation } from '../engine/types.js';
import type { Variable } from '../engine/variable.js';
import { alsoRun, FLOAT, op, operation, scope, type Tensor, tf } from '../ops/tf.js';

const EPSILON = 1e-8;

export interface LarsOptions {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  /** The trust coefficient. */
  trust: number;
}

/** How one parameter is updated. */
export interface UpdateRule {
  adapted: boolean;
  /** The reference's slip: excluded parameters move with lr^2. */
  squaredRate: boolean;
}

export class Lars {
  readonly #options: LarsOptions;
  readonly #items: { parameter: Variable; rule: UpdateRule; buffer: Variable }[];

  constructor(
    runtime: Runtime,
    parameters: { variable: Variable; rule: UpdateRule }[],
    options: LarsOptions,
  ) {
    this.#options = options;
    this.#items = parameters.map(({ variable, rule }) => ({
      parameter: variable,
      rule,
      buffer: runtime.variable(`optimizer.${variable.name}.momentum_buffer`, variable.shape),
    }));
  }

  /** Momentum buffers in the order of the parameters. */
  get buffers(): Variable[] {
    return this.#items.map(({ buffer }) => buffer);
  }

  /**
   * Records the update of all parameters.
   *
   * @param gradients in the order of the parameters
   * @param rate scalar, the learning rate
   * @returns the operations after which a parameter has its new value, in order
   */
  update(gradients: readonly Tensor[], rate: Tensor): Operation[] {
    return this.#items.map(({ parameter, rule, buffer }, i) =>
      scope(`solver/${parameter.name}`, () => {
        const update = this.#direction(parameter.read(), gradients[i], rule, rate);
        const { momentum, nesterov } = this.#options;
        const applied = operation(
          'ResourceApplyMomentum',
          [parameter.handle, buffer.handle, rate, update, tf.scalar(momentum)],
          { ...FLOAT, use_nesterov: { kind: 'bool', value: nesterov } },
        );
        alsoRun(applied);
        return applied;
      }),
    );
  }

  #direction(p: Tensor, g: Tensor, rule: UpdateRule, rate: Tensor): Tensor {
    if (!rule.adapted) return rule.squaredRate ? tf.mul(g, rate) : g;
    const { weightDecay, trust } = this.#options;
    const weightNorm = norm(p);
    const gradientNorm = norm(g);
    const denominator = tf.add(tf.add(gradientNorm, tf.mul(weightNorm, weightDecay)), EPSILON);
    const bothPositive = tf.logicalAnd(tf.greater(weightNorm, 0), tf.greater(gradientNorm, 0));
    const times = (factor: number) =>
      tf.where(bothPositive, tf.div(tf.mul(weightNorm, trust * factor), denominator), tf.scalar(factor));
    const scaled = tf.mul(g, times(1));
    // The factor of p is a whole: of p (ratio decay), TensorFlow's optimiser makes (p decay) ratio, computes p decay of all
    // parameters when the step starts, and keeps it until the gradients come.
    return weightDecay === 0 ? scaled : tf.add(scaled, tf.mul(p, times(weightDecay)));
  }
}

/** Euclidean norm of all elements; TensorFlow's `L2Loss` is half its square in one pass. */
export function norm(x: Tensor): Tensor {
  return tf.sqrt(tf.mul(op('L2Loss', [x], FLOAT), 2));
}
