/**
 * A run's whole state as the reference's checkpoints hold it (keys and tensor names), plus `scrl`, what an exact resume
 * needs (`continuity.ts`).
 */

import { loadModuleState, moduleState } from '../../checkpoint/module-state.js';
import {
  loadOptimizerState,
  optimizerState,
  type ParameterGroup,
  sgdSettings,
  twoGroups,
} from '../../checkpoint/optimizer-state.js';
import { stateDictOf } from '../../checkpoint/state-dict.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { type FileDict, type FileValue, float, numberOf } from '../../formats/value.js';
import { continuityState, type ResumeOptions, resumeStep } from './continuity.js';
import type { PretrainModel } from './model.js';
import type { Plan } from './plan.js';

/** Where a run is. */
export interface Position {
  /** Steps that were done, over all epochs. */
  step: number;
  /** The best accuracy of the online classifier on the validation images so far, percent, and its epoch. */
  best?: { score: number; epoch: number };
}

const MODULES = ['online_network', 'target_network', 'predictor', 'evaluator'] as const;

/** @param tag name of the checkpoint, as in the reference */
export function trainingState(
  model: PretrainModel,
  config: Config,
  plan: Plan,
  { step, best }: Position,
  tag: string,
): FileDict {
  const epoch = Math.floor(step / plan.stepsPerEpoch);
  const dict: FileDict = new Map<string, FileValue>([
    ['tag', tag],
    ['epoch', epoch],
    ['max_eval_score', float(best?.score ?? 0)],
    ['max_eval_epoch', best?.epoch ?? 0],
  ]);
  const stores = new Map(model.networks.stores().map((store) => [store.module, store]));
  for (const module of MODULES) {
    const store = stores.get(module);
    dict.set(`${module}_state_dict`, store === undefined ? new Map() : moduleState(store, step));
  }
  dict.set('xent_loss_state_dict', new Map());
  const groups = optimizerGroups(model, config, plan, step);
  dict.set('optimizer_state_dict', optimizerState(model.runtime, groups, step));
  dict.set('scheduler_state_dict', schedulerState(config, plan, step));
  dict.set('scaler_state_dict', new Map());
  dict.set('scrl', continuityState(config, plan, step));
  return dict;
}

/** As in the reference two groups: parameters with LARS, and without. */
function optimizerGroups(model: PretrainModel, config: Config, plan: Plan, step: number): ParameterGroup[] {
  const { momentum, weight_decay: weightDecay, nesterov } = config.train.optim;
  const rate = plan.rate(Math.max(0, step - 1));
  return momentumGroups(model).map(({ holds: adapted, members }) => ({
    members,
    settings: {
      ...sgdSettings({ rate, momentum, weightDecay: adapted ? weightDecay : 0, nesterov }),
      lars_adaptation: adapted,
    },
  }));
}

function momentumGroups({ trained }: PretrainModel) {
  return twoGroups(trained, ({ adapted }) => adapted);
}

function schedulerState(config: Config, plan: Plan, step: number): FileDict {
  return new Map<string, FileValue>([
    ['max_epochs', plan.epochs],
    ['warmup_epochs', config.train.warmup_epochs],
    ['last_epoch', float(step / plan.stepsPerEpoch)],
    ['epoch_per_step', float(1 / plan.stepsPerEpoch)],
    ['_last_lr', [float(plan.rate(Math.max(0, step - 1))), float(plan.rate(Math.max(0, step - 1)))]],
  ]);
}

/**
 * Fills the model from a checkpoint of ours or of the reference.
 *
 * @returns where the run is
 * @throws UserError when a part is missing or does not fit
 */
export async function loadTrainingState(
  model: PretrainModel,
  config: Config,
  plan: Plan,
  checkpoint: FileDict,
  options: ResumeOptions,
): Promise<Position> {
  const { where, log } = options;
  const position = { step: resumeStep(config, plan, checkpoint, options) };
  for (const store of model.networks.stores()) {
    const dict = stateDictOf(checkpoint, where, `${store.module}_state_dict`);
    if (store.module === 'evaluator' && dict.size === 0) {
      log.warn('the checkpoint has no online classifier: it starts from its initial values');
      continue;
    }
    await loadModuleState(store, dict, `${where}, ${store.module}_state_dict`);
  }
  const members = momentumGroups(model).flatMap((group) => group.members);
  await loadOptimizerState(model.runtime, members, checkpoint, {
    where,
    step: position.step,
    remedy:
      'resume with the configuration of that run (also train/optim/reference_quirks and train/online_eval)',
  });
  const score = numberOf(checkpoint.get('max_eval_score')) ?? 0;
  const epoch = numberOf(checkpoint.get('max_eval_epoch')) ?? 0;
  return epoch > 0 ? { ...position, best: { score, epoch } } : position;
}
