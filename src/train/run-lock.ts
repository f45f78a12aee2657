/**
 * Keeps two processes from training in one run folder, where they would overwrite each other's checkpoints.
 *
 * Unlike the lock of core/lock.ts, whose waiters take turns, this one is held for days and refuses at once. The file
 * `run.lock` names its owner: process id, host, and (on Linux) when that process was born, because after kill -9 the id
 * may have gone to another process. A lock of a process that is gone is taken over. Whether a process of another
 * host lives cannot be known, so its lock is respected and the message says how to get rid of it.
 */

import { readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { hasCode, UserError } from '../core/errors.js';
import { explainWriteError, writeFileAtomic } from '../core/fs.js';
import { withLock } from '../core/lock.js';
import { birthOf, processLives } from '../core/process.js';

interface Owner {
  pid: number;
  host: string;
  /** Empty where it cannot be found out. */
  born: string;
}

/**
 * Takes the folder for this process.
 *
 * @param folder must exist
 * @returns gives the folder back
 * @throws UserError when another process, or this one, holds it, or the folder cannot be written
 */
export async function lockRunFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'run.lock');
  const self: Owner = { pid: process.pid, host: hostname(), born: await birthOf(process.pid) };
  const content = `${JSON.stringify(self)}\n`;
  // Looking and taking must be one act, or two processes could both take over a dead one's lock.
  await withLock(`${path}.guard`, async () => {
    const owner = await readOwner(path);
    if (owner !== undefined && (await mayLive(owner, self))) throw heldBy(owner, self, folder, path);
    await writeFileAtomic(path, content);
  });
  return async () => {
    // Someone who removed the file by hand may have let another process in.
    if ((await readText(path)) === content) await rm(path, { force: true });
  };
}

function heldBy(owner: Owner, self: Owner, folder: string, path: string): UserError {
  const elsewhere = owner.host === self.host ? '' : ` on ${owner.host}`;
  return new UserError(`process ${owner.pid}${elsewhere} is using this run folder`, {
    where: folder,
    remedy:
      elsewhere === ''
        ? 'wait for it, stop it, or choose another --save_dir'
        : `wait for it, stop it, or choose another --save_dir; if it no longer runs, delete ${path}`,
  });
}

async function mayLive(owner: Owner, self: Owner): Promise<boolean> {
  if (owner.host !== self.host) return true;
  return processLives(owner.pid) && (await birthOf(owner.pid)) === owner.born;
}

/** Undefined when there is no lock, or none that this program wrote. */
async function readOwner(path: string): Promise<Owner | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    const { pid, host, born } = JSON.parse(text) as Partial<Owner>;
    if (Number.isSafeInteger(pid) && typeof host === 'string' && typeof born === 'string') {
      return { pid: pid as number, host, born };
    }
  } catch {
    // Written whole or not at all, so this is no lock of ours.
  }
  return undefined;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw explainWriteError(path, error);
  }
}
