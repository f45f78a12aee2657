/**
 * A run's whole state as the reference's checkpoints hold it (keys and tensor names), plus `scrl`, what an exact resume
 * needs: how many steps were done, and the settings that the schedule and the order of images depend on.
 */

import { loadModuleState, moduleState } from '../../checkpoint/module-state.js';
import { loadOptimizerState, optimizerState, type ParameterGroup } from '../../checkpoint/optimizer-state.js';
import { stateDictOf } from '../../checkpoint/state-dict.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import { type FileDict, type FileValue, float, numberOf } from '../../formats/value.js';
import type { PretrainModel, TrainedParameter } from './model.js';
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
  dict.set(
    'scrl',
    new Map<string, FileValue>([
      ['format', 1],
      ['step', step],
      ['steps_per_epoch', plan.stepsPerEpoch],
      ['batch_size', plan.batch],
      ['max_epochs', plan.epochs],
      ['seed', config.seed],
      ['method', plan.method],
      ['backbone', config.network.name],
    ]),
  );
  return dict;
}

/** As in the reference two groups: parameters with LARS, and without. */
function optimizerGroups(model: PretrainModel, config: Config, plan: Plan, step: number): ParameterGroup[] {
  const { momentum, weight_decay: weightDecay, nesterov } = config.train.optim;
  return momentumGroups(model).map(({ adapted, members }) => ({
    members,
    settings: {
      lr: float(plan.rate(Math.max(0, step - 1))),
      momentum: float(momentum),
      dampening: 0,
      weight_decay: float(adapted ? weightDecay : 0),
      nesterov,
      lars_adaptation: adapted,
    },
  }));
}

function momentumGroups({ trained }: PretrainModel): { adapted: boolean; members: TrainedParameter[] }[] {
  return [true, false].map((adapted) => ({
    adapted,
    members: trained.filter((parameter) => parameter.adapted === adapted),
  }));
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
 * @param where the file, for messages
 * @returns where the run is
 * @throws UserError when a part is missing or does not fit
 */
export async function loadTrainingState(
  model: PretrainModel,
  config: Config,
  plan: Plan,
  checkpoint: FileDict,
  where: string,
  log: Log,
): Promise<Position> {
  const position = readPosition(config, plan, checkpoint, where, log);
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

function readPosition(config: Config, plan: Plan, checkpoint: FileDict, where: string, log: Log): Position {
  const progress = checkpoint.get('scrl');
  if (!(progress instanceof Map)) {
    const epoch = numberOf(checkpoint.get('epoch'));
    if (epoch === undefined)
      throw new UserError('has no `epoch`, so it is not known where to go on', { where });
    return { step: epoch * plan.stepsPerEpoch };
  }
  const saved = (key: string) => numberOf(progress.get(key)) ?? Number.NaN;
  const step = saved('step');
  const steps = saved('steps_per_epoch');
  if (progress.get('method') !== plan.method) {
    throw new UserError(`is a checkpoint of ${progress.get('method')}, not of ${plan.method}`, {
      where,
      key: 'network/scrl/enabled',
      remedy: 'resume with the configuration of that run',
    });
  }
  for (const [key, now] of [
    ['seed', config.seed],
    ['batch_size', plan.batch],
    ['steps_per_epoch', plan.stepsPerEpoch],
  ] as const) {
    if (saved(key) === now) continue;
    if (step % steps !== 0) {
      throw new UserError(
        `was saved in the middle of an epoch with ${key} ${saved(key)}; with ${now} the rest of the epoch cannot be the same`,
        { where, key, value: now, remedy: 'resume with the settings and the images of that run' },
      );
    }
    log.warn(`${key} was ${saved(key)} and is now ${now}: the run goes on from epoch ${step / steps + 1}`);
  }
  if (saved('max_epochs') !== plan.epochs) {
    log.warn(
      `max_epochs was ${saved('max_epochs')} and is now ${plan.epochs}: the schedule changes from here`,
    );
  }
  return { step: (step / steps) % 1 === 0 ? (step / steps) * plan.stepsPerEpoch : step };
}
