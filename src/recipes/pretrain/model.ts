/** Networks, solver and compiled steps of a run. */

import { copyModule, initializeModule } from '../../checkpoint/module-state.js';
import type { Momentum } from '../../checkpoint/optimizer-state.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import type { Log } from '../../core/log.js';
import type { Runtime } from '../../engine/runtime.js';
import type { Inputs, Step } from '../../engine/step.js';
import { compiledOnce } from '../../engine/step-cache.js';
import { Networks } from '../../models/ssl/networks.js';
import { compilePretrainStep } from '../../models/ssl/pretrain-step.js';
import { Lars } from '../../solver/lars.js';
import {
  describeMatches,
  matchRules,
  parameterRules,
  solverParameters,
  storedParameters,
} from '../../solver/param-groups.js';
import type { Solver } from '../../solver/solver.js';
import { type BlurBasis, blurBasis } from '../../views/blur.js';
import type { Plan } from './plan.js';
import { photometricStage } from './step-inputs.js';

export interface TrainedParameter extends Momentum {
  /** LARS scales its step. */
  readonly adapted: boolean;
}

export class PretrainModel {
  readonly runtime: Runtime;
  readonly networks: Networks;
  readonly solver: Solver;
  /** In the order of the solver's buffers. */
  readonly trained: readonly TrainedParameter[];
  readonly basis: BlurBasis;
  readonly #plan: Plan;
  /** The step for a batch of so many images: the last batch of an epoch may be short. */
  readonly #step = compiledOnce((images: number) => this.#compile(images));

  constructor(runtime: Runtime, config: Config, plan: Plan, log: Log) {
    this.runtime = runtime;
    this.#plan = plan;
    const { network, augment, train } = config;
    this.networks = new Networks(runtime, {
      method: plan.method,
      backbone: network.name,
      hiddenSize: network.proj_head.hidden_size,
      outputSize: network.proj_head.output_size,
      classes: plan.classes,
    });
    const rules = parameterRules({ referenceQuirks: train.optim.reference_quirks });
    const matches = matchRules(storedParameters(this.networks.trained()), rules);
    for (const line of describeMatches(matches)) log.debug(line);
    this.solver = new Lars(runtime, solverParameters(matches), {
      momentum: train.optim.momentum,
      nesterov: train.optim.nesterov,
      weightDecay: train.optim.weight_decay,
      trust: train.optim.trust_coefficient,
    });
    this.trained = matches.map(({ parameter: { entry }, rule }, i) => ({
      entry,
      buffer: this.solver.buffers[i],
      adapted: rule.update.adapted,
    }));
    this.basis = blurBasis(augment.blur, plan.side);
  }

  /** Draws all initial values. @param copyTarget the target starts as a copy of the online network */
  async initialize(seed: number, copyTarget: boolean): Promise<void> {
    for (const store of this.networks.stores()) await initializeModule(store, seed);
    await this.runtime.clear(this.solver.buffers);
    const { online, target } = this.networks;
    if (copyTarget) await copyModule(online.store, target.store);
  }

  #compile(images: number): Step<string, string> {
    const { side, boxes } = this.#plan;
    return compilePretrainStep(this.runtime, this.networks, this.solver, {
      images,
      side,
      boxes: boxes.boxesPerImage,
      viewStage: photometricStage(this.basis),
    });
  }

  async run(images: number, inputs: Inputs<string>): Promise<Record<string, number>> {
    const outputs = await this.#step(images).run(inputs);
    return Object.fromEntries(Object.entries(outputs).map(([name, values]) => [name, Number(values[0])]));
  }
}
