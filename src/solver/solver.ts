/** What a training step needs of a solver, and what a solver needs to know of a parameter. */

import type { Operation } from '../engine/types.js';
import type { Variable } from '../engine/variable.js';
import type { Tensor } from '../ops/tf.js';

export interface Solver {
  /** Momentum buffers in the order of the parameters; zeros before the first step. */
  readonly buffers: readonly Variable[];
  /**
   * Records the update of all parameters.
   *
   * @param gradients in the order of the parameters
   * @param rate scalar, the learning rate
   * @returns the operations after which a parameter has its new value, in order
   */
  update(gradients: readonly Tensor[], rate: Tensor): Operation[];
}

/** How one parameter is updated. */
export interface UpdateRule {
  /** Weight decay pulls it to 0. */
  readonly decay: boolean;
  /** LARS scales its step by the norms of parameter and gradient. */
  readonly adapted: boolean;
  /** The SCRL reference's slip: what LARS excludes moves with the square of the rate. */
  readonly squaredRate: boolean;
}

export interface SolverParameter {
  readonly variable: Variable;
  readonly rule: UpdateRule;
}
