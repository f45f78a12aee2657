/**
 * Keeps two processes from training in one run folder, where they would overwrite each other's checkpoints.
 *
 * Unlike the lock of core/lock.ts, whose waiters take turns, this one is held for days and refuses at once. The file
 * `run.lock` names its owner (`core/process.ts`). A lock of a process that is gone is taken over. Whether a process of another
 * host or container lives cannot be known, so its lock is respected and the message says how to get rid of it.
 */

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, UserError } from '../core/errors.js';
import { explainWriteError } from '../core/fs.js';
import { withLock } from '../core/lock.js';
import { type Log, SILENT } from '../core/log.js';
import { describeOwner, isHere, lives, type Owner, readOwner, self, writeOwner } from '../core/process.js';
import { writeFileAtomic } from '../core/replace.js';

/**
 * Takes the folder for this process.
 *
 * @param folder must exist
 * @returns gives the folder back
 * @throws UserError when another process, or this one, holds it, or the folder cannot be written
 */
export async function lockRunFolder(folder: string, log: Log = SILENT): Promise<() => Promise<void>> {
  const path = join(folder, 'run.lock');
  const content = writeOwner(await self());
  const guard = `${path}.guard`;
  // Looking and taking must be one act, or two processes could both take over a dead one's lock.
  await withLock(
    guard,
    async () => {
      const owner = readOwner((await readText(path)) ?? '');
      if (owner !== undefined && (!isHere(owner) || (await lives(owner)))) throw heldBy(owner, folder, path);
      await writeFileAtomic(path, content);
    },
    (owner) => log.info(`waiting for ${owner}, which holds ${guard}`),
  );
  return async () => {
    // Someone who removed the file by hand may have let another process in.
    if ((await readText(path)) === content) await rm(path, { force: true });
  };
}

function heldBy(owner: Owner, folder: string, path: string): UserError {
  const remedy = 'wait for it, stop it, or choose another --save_dir';
  return new UserError(`${describeOwner(owner)} is using this run folder`, {
    where: folder,
    remedy: isHere(owner) ? remedy : `${remedy}; if it no longer runs, delete ${path}`,
  });
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw explainWriteError(path, error);
  }
}
