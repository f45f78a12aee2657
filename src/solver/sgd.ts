/**
 * torch's SGD with momentum, in the graph: the direction is gradient + decay p, for parameters that decay. What Detectron2
 * trains detectors with.
 */

import type { Runtime } from '../engine/runtime.js';
import type { Tensor } from '../ops/tf.js';
import { decayed, type MomentumOptions, MomentumSolver } from './momentum.js';
import type { SolverParameter, UpdateRule } from './solver.js';

export class Sgd extends MomentumSolver {
  readonly #weightDecay: number;

  constructor(runtime: Runtime, parameters: readonly SolverParameter[], options: MomentumOptions) {
    super(runtime, parameters, options);
    this.#weightDecay = options.weightDecay;
  }

  protected override direction(parameter: Tensor, gradient: Tensor, { decay }: UpdateRule): Tensor {
    return decayed(parameter, gradient, decay ? this.#weightDecay : 0);
  }
}
