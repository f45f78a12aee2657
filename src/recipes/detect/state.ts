/**
 * A detector run's state as Detectron2's checkpoints hold it (`model`, `optimizer`, `iteration`), plus `scrl`: what an exact
 * resume, and whoever uses the detector, need to know. Class names travel with the weights.
 */

import { DESCRIPTION } from '../../checkpoint/detector-description.js';
import { loadModuleState, moduleState } from '../../checkpoint/module-state.js';
import {
  loadOptimizerState,
  optimizerState,
  type ParameterGroup,
  sgdSettings,
  twoGroups,
} from '../../checkpoint/optimizer-state.js';
import { stateDictOf } from '../../checkpoint/state-dict.js';
import { DETECT, type DetectConfig } from '../../config/schemas/detect.js';
import { UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import { type FileDict, type FileValue, float, numberOf } from '../../formats/value.js';
import type { RunKind } from '../shared/find-run.js';
import { savedSettings, sayChangedSettings } from '../shared/saved-settings.js';
import type { DetectModel } from './model.js';
import { protocolFingerprint } from './options.js';
import type { DetectPlan } from './plan.js';
import { detectLimits } from './sampling.js';
import { savedLimits } from './saved-limits.js';

/** Where a run is. */
export interface DetectPosition {
  /** Steps that were done. */
  readonly step: number;
  /** The best AP of boxes on the validation images so far, percent, and after how many steps. */
  readonly best?: { readonly score: number; readonly step: number };
}

/** What a run's state depends on besides the weights. */
export interface DetectIdentity {
  readonly config: DetectConfig;
  readonly plan: DetectPlan;
  /** Names of the classes, in the order of the outputs. */
  readonly classes: readonly string[];
  /** Id of each class in the annotations. */
  readonly categoryIds: readonly number[];
  /** Of the annotations, and of the images, that are trained on. */
  readonly data: string;
  readonly images: string;
}

/** Settings that change what a step does; those of the schedule's length are in other lines. */
const SETTINGS =
  /^(model|input)\/|^dataset\/(skip_invalid|keep_empty)$|^train\/(lr|gamma|momentum|weight_decay|decay_biases|warmup_\w+|steps_at)$/;

export const DETECTORS: RunKind = {
  name: 'detector training',
  isFinished(checkpoint) {
    const saved = checkpoint.get(DESCRIPTION);
    if (!(saved instanceof Map) || saved.get('kind') !== 'detector') return undefined;
    const [step, total] = [numberOf(saved.get('step')), numberOf(saved.get('total_steps'))];
    return step === undefined || total === undefined ? undefined : step >= total;
  },
};

export function detectState(
  model: DetectModel,
  identity: DetectIdentity,
  { step, best }: DetectPosition,
): FileDict {
  const { config, plan, classes, categoryIds, data, images } = identity;
  const groups = parameterGroups(model, config, plan.rate(Math.max(0, step - 1)));
  return new Map<string, FileValue>([
    ['model', moduleState(model.detector.store, step)],
    ['optimizer_state_dict', optimizerState(model.runtime, groups, step)],
    ['iteration', step],
    [
      DESCRIPTION,
      new Map<string, FileValue>([
        ['format', 1],
        ['kind', 'detector'],
        ['step', step],
        ['best_ap', float(best?.score ?? Number.NaN)],
        ['best_step', best?.step ?? 0],
        ['seed', config.seed],
        ['batch_size', plan.batch],
        ['total_steps', plan.totalSteps],
        ['weights_style', config.model.weights_style],
        ['freeze_at', config.model.freeze_at],
        ['anchor_sizes', [...config.model.rpn.anchor_sizes]],
        ['anchor_ratios', config.model.rpn.aspect_ratios.map(float)],
        ['min_size_test', config.input.min_size_test],
        ['max_size_test', config.input.max_size_test],
        ...savedLimits(detectLimits(config)),
        ['protocol', protocolFingerprint(config)],
        ['classes', [...classes]],
        ['category_ids', [...categoryIds]],
        ['data', data],
        ['images', images],
        ['settings', savedSettings(DETECT, config, SETTINGS)],
      ]),
    ],
  ]);
}

function parameterGroups(model: DetectModel, { train }: DetectConfig, rate: number): ParameterGroup[] {
  const { momentum, weight_decay: weightDecay } = train;
  return memberGroups(model).map(({ holds: decays, members }) => ({
    members,
    settings: sgdSettings({ rate, momentum, weightDecay: decays ? weightDecay : 0, nesterov: false }),
  }));
}

function memberGroups({ trained }: DetectModel) {
  return twoGroups(trained, ({ decays }) => decays);
}

/**
 * Fills network and solver from a checkpoint of a run.
 *
 * @param where the file, for messages
 * @throws UserError when it is no checkpoint of such a run, or of one on other data
 */
export async function loadDetectState(
  model: DetectModel,
  identity: DetectIdentity,
  checkpoint: FileDict,
  where: string,
  log: Log,
): Promise<DetectPosition> {
  const saved = checkpoint.get(DESCRIPTION);
  if (!(saved instanceof Map) || saved.get('kind') !== 'detector') {
    throw new UserError('is no checkpoint of a detector run', {
      where,
      remedy: 'choose another --save_dir; a backbone to start from is given with --weights',
    });
  }
  requireSame(saved, identity, where);
  sayChanges(saved, identity, log);
  await loadModuleState(model.detector.store, stateDictOf(checkpoint, where, 'model'), `${where}, model`);
  const step = numberOf(saved.get('step')) ?? 0;
  const members = memberGroups(model).flatMap((group) => group.members);
  await loadOptimizerState(model.runtime, members, checkpoint, { where, step });
  const best = {
    score: numberOf(saved.get('best_ap')) ?? Number.NaN,
    step: numberOf(saved.get('best_step')) ?? 0,
  };
  return Number.isNaN(best.score) ? { step } : { step, best };
}

/** What is known by a hash, which says nothing to people. */
const HASHED: ReadonlyMap<string, string> = new Map([
  ['data', 'the annotations'],
  ['images', 'the images'],
]);

/** What the order of images, and so every later step, depends on. */
function requireSame(
  saved: FileDict,
  { config, plan, classes, data, images }: DetectIdentity,
  where: string,
): void {
  for (const [key, now] of [
    ['seed', config.seed],
    ['batch_size', plan.batch],
    ['weights_style', config.model.weights_style],
    ['classes', classes.join(', ')],
    ['data', data],
    ['images', images],
  ] as const) {
    const value = saved.get(key);
    const before = Array.isArray(value) ? value.join(', ') : value;
    // Checkpoints of earlier versions do not know their images.
    if (before === now || (key === 'images' && before === undefined)) continue;
    const hashed = HASHED.get(key);
    const change =
      hashed === undefined
        ? `was ${JSON.stringify(before)} and is now ${JSON.stringify(now)}`
        : `${hashed} are others than those of the run`;
    throw new UserError(`${change}: it cannot go on as it was`, {
      where,
      key,
      remedy: 'resume with the settings and the data of that run, or start a new one in another --save_dir',
    });
  }
}

function sayChanges(saved: FileDict, { config, plan }: DetectIdentity, log: Log): void {
  sayChangedSettings(saved.get('settings'), savedSettings(DETECT, config, SETTINGS), log);
  for (const [key, now] of [
    ['total_steps', plan.totalSteps],
    ['protocol', protocolFingerprint(config)],
  ] as const) {
    if (saved.get(key) !== now) log.warn(`${key} was ${saved.get(key)} and is now ${now}`);
  }
}
