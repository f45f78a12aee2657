/**
 * The checkpoints of a run folder: which there are, and which are whole.
 *
 * Names are those of the reference implementation: `checkpoint_{name}.pth`, and the link `checkpoint_last.pth`.
 */

import { lstat, readlink, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { hasCode, UserError } from '../core/errors.js';
import { namesIn } from '../core/fs.js';
import { verifyTorchFile } from '../formats/torch-pth.js';

export interface CheckpointFile {
  /** What stands between `checkpoint_` and `.pth`: an epoch, `best`. */
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Time of the last change, milliseconds. */
  readonly modified: number;
}

export const LAST = 'last';

export function checkpointPath(folder: string, name: string): string {
  return join(folder, `checkpoint_${name}.pth`);
}

/** The checkpoints of a folder, newest first, without the link; none when there is no such folder. */
export async function listCheckpoints(folder: string): Promise<CheckpointFile[]> {
  const found: CheckpointFile[] = [];
  for (const file of await namesIn(folder)) {
    const name = /^checkpoint_(.+)\.pth$/.exec(file)?.[1];
    if (name === undefined) continue;
    const path = join(folder, file);
    const status = await lstat(path).catch(() => undefined);
    if (status?.isFile() === true) found.push({ name, path, size: status.size, modified: status.mtimeMs });
  }
  // Copying may level the times; then the larger epoch counts as newer.
  const byName = (a: string, b: string) => b.localeCompare(a, 'en', { numeric: true });
  return found.sort((a, b) => b.modified - a.modified || byName(a.name, b.name));
}

/** True when the folder has a `checkpoint_last.pth`, even one that points nowhere. */
export async function hasLastCheckpoint(folder: string): Promise<boolean> {
  return lstat(checkpointPath(folder, LAST)).then(
    () => true,
    () => false,
  );
}

/**
 * The file that a folder's `checkpoint_last.pth` stands for.
 *
 * @throws UserError when there is none, or it points to a file that is gone
 */
export async function lastCheckpointPath(folder: string): Promise<string> {
  const link = checkpointPath(folder, LAST);
  const target = await readlink(link).catch((error) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (hasCode(error, 'EINVAL')) return basename(link);
    throw error;
  });
  if (target === undefined) throw new UserError('holds no checkpoint_last.pth', { where: folder });
  const exists = await stat(link).then(
    () => true,
    () => false,
  );
  if (!exists) throw new UserError(`points to ${target}, which does not exist`, { where: link });
  return resolve(folder, target);
}

/** Most whole checkpoints that are looked for; each is read from end to end. */
const ENOUGH = 5;

/** A sentence that names the whole checkpoints of a folder, newest first. @param except a path that is known to be bad */
export async function describeWhole(folder: string, except?: string): Promise<string> {
  const others = (await listCheckpoints(folder)).filter(({ path }) => path !== except);
  const whole: string[] = [];
  let checked = 0;
  for (const { path } of others) {
    if (whole.length === ENOUGH) break;
    checked++;
    const sound = await verifyTorchFile(path).then(
      () => true,
      () => false,
    );
    if (sound) whole.push(path);
  }
  if (whole.length === 0) return 'there is no other whole checkpoint in the folder';
  const rest = others.length > checked ? ` (${others.length - checked} older ones were not looked at)` : '';
  return `whole checkpoints in the folder, newest first: ${whole.join(', ')}${rest}`;
}
