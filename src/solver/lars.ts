/**
 * LARS on SGD with momentum (You et al., 2017), in the graph. The state is one momentum buffer for each parameter.
 *
 * Adapted parameters go in the direction a (g + decay p) with a = trust |p| / (|g| + decay |p| + 1e-8), or 1 when a norm is
 * 0; the others as SGD's do. This is torchlars 0.1.2; the reference multiplies an excluded parameter's gradient by the
 * rate once more (`squaredRate`).
 */

import type { Runtime } from '../engine/runtime.js';
import { FLOAT, op, type Tensor, tf } from '../ops/tf.js';
import { decayed, type MomentumOptions, MomentumSolver } from './momentum.js';
import type { SolverParameter, UpdateRule } from './solver.js';

const EPSILON = 1e-8;

export interface LarsOptions extends MomentumOptions {
  /** The trust coefficient. */
  readonly trust: number;
}

export class Lars extends MomentumSolver {
  readonly #options: LarsOptions;

  constructor(runtime: Runtime, parameters: readonly SolverParameter[], options: LarsOptions) {
    super(runtime, parameters, options);
    this.#options = options;
  }

  protected override direction(p: Tensor, g: Tensor, rule: UpdateRule, rate: Tensor): Tensor {
    const { trust } = this.#options;
    const weightDecay = rule.decay ? this.#options.weightDecay : 0;
    if (!rule.adapted) return rule.squaredRate ? tf.mul(g, rate) : decayed(p, g, weightDecay);
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
