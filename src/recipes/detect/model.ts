/** Network, solver and what a detector starts from. */

import { type LoadedBackbone, loadBackbone } from '../../checkpoint/load-backbone.js';
import { initializeModule, loadModuleState } from '../../checkpoint/module-state.js';
import type { Momentum } from '../../checkpoint/optimizer-state.js';
import type { DetectConfig } from '../../config/schemas/detect.js';
import { UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import type { Runtime } from '../../engine/runtime.js';
import { underOurNames } from '../../evaluation/features/backbone-weights.js';
import { Detector } from '../../models/detection/networks.js';
import {
  describeMatches,
  detectorRules,
  matchRules,
  solverParameters,
  storedParameters,
} from '../../solver/param-groups.js';
import { Sgd } from '../../solver/sgd.js';
import type { Solver } from '../../solver/solver.js';
import { detectorOptions } from './options.js';

export interface TrainedParameter extends Momentum {
  readonly decays: boolean;
}

/** Of the backbone's names. */
const BACKBONE = 'backbone.bottom_up.';

export class DetectModel {
  readonly runtime: Runtime;
  readonly detector: Detector;
  readonly solver: Solver;
  /** In the order of the solver's buffers. */
  readonly trained: readonly TrainedParameter[];

  /** @param classes names of the classes, in the order of the outputs */
  constructor(runtime: Runtime, config: DetectConfig, classes: readonly string[], log: Log) {
    this.runtime = runtime;
    this.detector = new Detector(runtime, detectorOptions(config, classes.length));
    const { decay_biases: decayBiases, momentum, weight_decay: weightDecay } = config.train;
    const matches = matchRules(storedParameters([this.detector.store]), detectorRules({ decayBiases }));
    for (const line of describeMatches(matches)) log.debug(line);
    this.solver = new Sgd(runtime, solverParameters(matches), { momentum, nesterov: false, weightDecay });
    this.trained = matches.map(({ parameter: { entry }, rule }, i) => ({
      entry,
      buffer: this.solver.buffers[i],
      decays: rule.update.decay,
    }));
  }

  /** Draws all initial values. */
  async initialize(seed: number): Promise<void> {
    await initializeModule(this.detector.store, seed);
    await this.runtime.clear(this.solver.buffers);
  }

  /** Fills the backbone, all of it. */
  async takeBackbone(backbone: LoadedBackbone): Promise<void> {
    const dict = underOurNames(backbone, BACKBONE, 'detectron2');
    await loadModuleState(this.detector.store, dict, backbone.path, BACKBONE);
  }
}

/**
 * Opens a backbone to start from; every layer of it has to be there.
 *
 * @param path a file of any toolkit, or a run folder
 * @throws UserError when it is another network, or not whole
 */
export async function openBackbone({ model }: DetectConfig, path: string, log: Log): Promise<LoadedBackbone> {
  const loaded = await loadBackbone(path, { anyStyle: true }, log);
  for (const [key, wanted, found] of [
    ['model/backbone', model.backbone, loaded.network],
    ['model/weights_style', model.weights_style, loaded.style],
  ]) {
    if (wanted === found) continue;
    throw new UserError(`is ${found}, but the configuration has ${wanted}`, {
      where: loaded.path,
      key,
      value: wanted,
      remedy: `add --${key} ${found}`,
    });
  }
  return loaded;
}

/**
 * Frozen norms hold the statistics of the weights that a detector starts from: without weights they are ones and zeros, and
 * nothing normalises.
 *
 * @throws UserError when there are no weights, and stages that need them
 */
export function requireWeights({ model }: DetectConfig, weights: string | undefined): void {
  if (weights !== undefined) return;
  const needs =
    model.norm.backbone === 'frozen'
      ? 'model/norm/backbone'
      : model.freeze_at > 0
        ? 'model/freeze_at'
        : undefined;
  if (needs === undefined) return;
  throw new UserError('cannot be used with a random backbone: what is frozen would stay random', {
    key: needs,
    value: needs === 'model/freeze_at' ? model.freeze_at : 'frozen',
    remedy:
      'give a backbone with --weights FILE, or train from scratch: --model/freeze_at 0 --model/norm/backbone batch --model/norm/fpn batch',
  });
}
