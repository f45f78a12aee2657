/**
 * Momentum as torch's SGD has it, without dampening, in the graph: buffer = momentum buffer + d, p = p - rate buffer; with
 * Nesterov's, p = p - rate (d + momentum buffer). What d is, the solvers decide.
 */

import type { Runtime } from '../engine/runtime.js';
import type { Operation } from '../engine/types.js';
import type { Variable } from '../engine/variable.js';
import { alsoRun, FLOAT, operation, scope, type Tensor, tf } from '../ops/tf.js';
import type { Solver, SolverParameter, UpdateRule } from './solver.js';

export interface MomentumOptions {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}

export abstract class MomentumSolver implements Solver {
  readonly buffers: readonly Variable[];
  readonly #parameters: readonly SolverParameter[];
  readonly #options: MomentumOptions;

  constructor(runtime: Runtime, parameters: readonly SolverParameter[], options: MomentumOptions) {
    this.#parameters = parameters;
    this.#options = options;
    this.buffers = parameters.map(({ variable: { name, shape } }) =>
      runtime.variable(`optimizer.${name}.momentum_buffer`, shape),
    );
  }

  update(gradients: readonly Tensor[], rate: Tensor): Operation[] {
    const { momentum, nesterov } = this.#options;
    return this.#parameters.map(({ variable, rule }, i) =>
      scope(`solver/${variable.name}`, () => {
        const update = this.direction(variable.read(), gradients[i], rule, rate);
        const applied = operation(
          'ResourceApplyMomentum',
          [variable.handle, this.buffers[i].handle, rate, update, tf.scalar(momentum)],
          { ...FLOAT, use_nesterov: { kind: 'bool', value: nesterov } },
        );
        alsoRun(applied);
        return applied;
      }),
    );
  }

  /** What goes into the buffer, of a parameter and its gradient. */
  protected abstract direction(parameter: Tensor, gradient: Tensor, rule: UpdateRule, rate: Tensor): Tensor;
}

/** gradient + decay parameter */
export function decayed(parameter: Tensor, gradient: Tensor, decay: number): Tensor {
  return decay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, decay));
}
