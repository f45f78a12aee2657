/** The run that somebody probably wants to go on with: of all that are not finished, the one that was saved last. */

import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { hasLastCheckpoint, lastCheckpointPath } from '../../checkpoint/checkpointer.js';
import { UserError } from '../../core/errors.js';
import { namesIn } from '../../core/fs.js';
import { readTorchFile } from '../../formats/torch-pth.js';
import type { FileDict } from '../../formats/value.js';

/** A kind of run. */
export interface RunKind {
  /** For messages: `pretraining`. */
  readonly name: string;
  /** Whether a checkpoint was saved after the last step of its run; undefined for checkpoints of other kinds. */
  isFinished(checkpoint: FileDict): boolean | undefined;
}

/**
 * @param topDir prefix of the numbered run folders
 * @returns the path of the run folder
 * @throws UserError when there is no unfinished run of this kind
 */
export async function newestUnfinished(topDir: string, kind: RunKind): Promise<string> {
  const runs = resolve(topDir, 'runs');
  const found: { folder: string; saved: number }[] = [];
  for (const name of await namesIn(runs)) {
    const folder = join(runs, name);
    const saved = await lastSaved(folder);
    if (saved !== undefined) found.push({ folder, saved });
  }
  for (const { folder } of found.sort((a, b) => b.saved - a.saved)) {
    if (await canGoOn(folder, kind)) return folder;
  }
  throw new UserError(`there is no unfinished run of ${kind.name}`, {
    where: runs,
    remedy: 'name its folder: --resume RUN',
  });
}

/** @throws UserError when the folder is no run, or nothing was saved yet */
export async function requireResumable(folder: string): Promise<void> {
  const hasConfig = await stat(join(folder, 'config.yaml')).then(
    (status) => status.isFile(),
    () => false,
  );
  if (hasConfig && (await hasLastCheckpoint(folder))) return;
  throw new UserError(
    `cannot be resumed: there is no ${hasConfig ? 'checkpoint_last.pth' : 'config.yaml'} in it`,
    { where: folder, remedy: 'name the folder of a run that was saved, or start it with --config' },
  );
}

/** When the last checkpoint was written, milliseconds; undefined without one. */
async function lastSaved(folder: string): Promise<number | undefined> {
  try {
    await requireResumable(folder);
    return (await stat(await lastCheckpointPath(folder))).mtimeMs;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** A run of another kind, or one whose checkpoint cannot be read, is none to choose without being asked. */
async function canGoOn(folder: string, { isFinished }: RunKind): Promise<boolean> {
  try {
    const checkpoint = await readTorchFile(await lastCheckpointPath(folder));
    return checkpoint instanceof Map && isFinished(checkpoint) === false;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
