/** Saving and resuming of a pretraining run. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { saveCheckpoint } from '../../checkpoint/checkpointer.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import type { LiveLog } from '../../core/log.js';
import type { SaveKind } from '../../train/loop.js';
import { lastCheckpoint } from '../../train/run.js';
import type { PretrainModel } from './model.js';
import type { Plan } from './plan.js';
import { loadTrainingState, type Position, trainingState } from './training-state.js';

/** Name of the checkpoint that is replaced again and again between the kept ones. */
const ROLLING = 'rolling';
const BEST = 'best';

export interface CheckpointContext {
  model: PretrainModel;
  config: Config;
  plan: Plan;
  /** The run folder. */
  folder: string;
  log: LiveLog;
}

/** Writes and verifies a checkpoint, and points `checkpoint_last.pth` to it. @returns its path */
export async function save(context: CheckpointContext, position: Position, kind: SaveKind): Promise<string> {
  const { model, config, plan, folder, log } = context;
  const tag = kind === 'kept' ? String(position.step / plan.stepsPerEpoch) : ROLLING;
  const path = await saveCheckpoint(folder, tag, trainingState(model, config, plan, position, tag), { log });
  if (kind === 'kept') await rm(join(folder, `checkpoint_${ROLLING}.pth`), { force: true });
  return path;
}

/** Writes `checkpoint_best.pth`; a run does not resume from it. */
export async function saveBest(context: CheckpointContext, position: Position): Promise<void> {
  const { model, config, plan, folder, log } = context;
  const state = trainingState(model, config, plan, position, BEST);
  await saveCheckpoint(folder, BEST, state, { last: false, log });
}

/**
 * Fills the model from the last checkpoint of `load_dir`, or else of the run folder.
 *
 * @returns where the run goes on, or undefined when there is nothing to resume
 * @throws UserError when `load_dir` has no checkpoint, or when one does not fit
 */
export async function resume(
  context: CheckpointContext,
  { overwrite = false, restartEpoch = false }: { overwrite?: boolean; restartEpoch?: boolean },
): Promise<Position | undefined> {
  const { model, config, plan, folder, log } = context;
  const found = await lastCheckpoint({ folder, log }, { overwrite, loadDir: config.load_dir });
  if (found === undefined) return undefined;
  const { path, value } = found;
  const position = await loadTrainingState(model, config, plan, value, { where: path, restartEpoch, log });
  const epoch = Math.floor(position.step / plan.stepsPerEpoch);
  log.info(`resuming from ${path}: step ${position.step} of ${plan.totalSteps} (epoch ${epoch + 1})`);
  return position;
}
