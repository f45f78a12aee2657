/**
 * What makes two parts of a pretraining run one run: the same order of the same images, and the same settings. It is kept
 * in each checkpoint, under `scrl`, and compared when a run goes on.
 *
 * In the middle of an epoch, what decides on the rest of it must be the same. At its end a change is said and allowed, as
 * are changed settings at any time.
 */

import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { PRETRAIN } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import { type FileDict, type FileValue, numberOf } from '../../formats/value.js';
import type { RunKind } from '../shared/find-run.js';
import { savedSettings, sayChangedSettings } from '../shared/saved-settings.js';
import type { Plan } from './plan.js';

/** What decides on the order of the images. */
interface Order {
  readonly seed: number;
  readonly batch_size: number;
  readonly steps_per_epoch: number;
  readonly files_sha256: string;
}

/** Settings that change what a step does; those of the schedule's length have lines of their own. */
const SETTINGS = /^(network|augment|train\/optim)\/|^train\/(m|warmup_epochs|drop_last)$/;

/** @param step number of steps that were done */
export function continuityState(config: Config, plan: Plan, step: number): FileDict {
  return new Map<string, FileValue>([
    ['format', 1],
    ['step', step],
    ...Object.entries(orderOf(config, plan)),
    ['max_epochs', plan.epochs],
    ['method', plan.method],
    ['backbone', config.network.name],
    ['settings', savedSettings(PRETRAIN, config, SETTINGS)],
  ]);
}

export interface ResumeOptions {
  /** The checkpoint, for messages. */
  readonly where: string;
  /** Where the rest of an epoch cannot be the same, it is begun again instead of being refused. */
  readonly restartEpoch: boolean;
  readonly log: Log;
}

/**
 * The step from which a checkpoint of ours or of the reference goes on. Every difference is a line.
 *
 * @throws UserError when the checkpoint is another method's, or was saved in an epoch that cannot go on as it began
 */
export function resumeStep(
  config: Config,
  plan: Plan,
  checkpoint: FileDict,
  { where, restartEpoch, log }: ResumeOptions,
): number {
  const saved = checkpoint.get('scrl');
  if (!(saved instanceof Map)) {
    const epoch = numberOf(checkpoint.get('epoch'));
    if (epoch === undefined)
      throw new UserError('has no `epoch`, so it is not known where to go on', { where });
    return epoch * plan.stepsPerEpoch;
  }
  requireMethod(saved, plan, where);
  const step = numberOf(saved.get('step')) ?? Number.NaN;
  const steps = numberOf(saved.get('steps_per_epoch')) ?? Number.NaN;
  const changes = changesOfOrder(saved, orderOf(config, plan));
  const epoch = Math.floor(step / steps);
  if (changes.length > 0 && step % steps !== 0 && !restartEpoch) throw otherEpoch(changes, where);
  for (const change of changes) log.warn(`${change}: the run goes on from epoch ${epoch + 1}`);
  sayChanges(saved, config, plan, log);
  return changes.length === 0 ? step : epoch * plan.stepsPerEpoch;
}

export const PRETRAINING: RunKind = { name: 'pretraining', isFinished };

function isFinished(checkpoint: FileDict): boolean | undefined {
  const saved = checkpoint.get('scrl');
  if (!(saved instanceof Map)) return undefined;
  const [step, steps, epochs] = ['step', 'steps_per_epoch', 'max_epochs'].map((key) =>
    numberOf(saved.get(key)),
  );
  if (step === undefined || steps === undefined || epochs === undefined) return undefined;
  return step >= steps * epochs;
}

function orderOf({ seed }: Config, { batch, stepsPerEpoch, images }: Plan): Order {
  return { seed, batch_size: batch, steps_per_epoch: stepsPerEpoch, files_sha256: images };
}

function requireMethod(saved: FileDict, { method }: Plan, where: string): void {
  if (saved.get('method') === method) return;
  throw new UserError(`is a checkpoint of ${saved.get('method')}, not of ${method}`, {
    where,
    key: 'network/scrl/enabled',
    remedy: 'resume with the configuration of that run',
  });
}

/** What is no longer so; checkpoints of earlier versions do not know their images. */
function changesOfOrder(saved: FileDict, order: Order): string[] {
  return Object.entries(order).flatMap(([key, now]) => {
    const before = saved.get(key);
    if (before === now || (before === undefined && key === 'files_sha256')) return [];
    return key === 'files_sha256' ? ['the images are others'] : [`${key} was ${before} and is now ${now}`];
  });
}

function otherEpoch(changes: readonly string[], where: string): UserError {
  return new UserError(
    `was saved in the middle of an epoch, whose rest cannot be the same: ${changes.join(', ')}`,
    {
      where,
      remedy: 'resume with the settings and the images of that run, or add --restart-epoch to begin it again',
    },
  );
}

function sayChanges(saved: FileDict, config: Config, plan: Plan, log: Log): void {
  const epochs = numberOf(saved.get('max_epochs'));
  if (epochs !== plan.epochs)
    log.warn(`max_epochs was ${epochs} and is now ${plan.epochs}: the schedule changes from here`);
  sayChangedSettings(saved.get('settings'), savedSettings(PRETRAIN, config, SETTINGS), log);
}
