/** A lock between processes whose waiters take turns. */

import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errors.js';
import { explainWriteError, temporaryName } from './fs.js';
import { birthOf, processLives } from './process.js';

/**
 * Runs `work` while holding the lock file `path`; other processes wait. A lock whose owner no longer lives is taken over.
 *
 * @param onWait called once, with the owner's process id, when the lock is held by another process
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait?: (owner: number) => void,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true }).catch((error) => {
    throw explainWriteError(path, error);
  });
  let said = false;
  for (;;) {
    try {
      await create(path);
      break;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw explainWriteError(path, error);
    }
    const owner = await lockOwner(path);
    if (owner === 'gone') continue;
    if (owner === 'dead') {
      // Two waiters may both see a dead owner: only the one whose rename succeeds removes it.
      const aside = temporaryName(path);
      await rename(path, aside).then(
        () => rm(aside, { force: true }),
        () => undefined,
      );
      continue;
    }
    if (!said && owner !== 'unknown') {
      said = true;
      onWait?.(owner);
    }
    await new Promise((wake) => setTimeout(wake, 200));
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** @throws with code EEXIST when somebody else holds the lock */
async function create(path: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(`${process.pid} ${await birthOf(process.pid)}\n`);
  } catch (error) {
    // On a full disk the file exists, but says nothing.
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Who holds a lock: a process id, `dead` (to be taken over), `gone` (released), or `unknown` (just being written). */
async function lockOwner(path: string): Promise<number | 'gone' | 'dead' | 'unknown'> {
  let text: string;
  let age: number;
  try {
    age = Date.now() - (await stat(path)).mtimeMs;
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'gone';
    throw error;
  }
  const [, pid, born] = /^(\d+) (\d*)\n$/.exec(text) ?? [];
  if (pid === undefined) return age > 5000 ? 'dead' : 'unknown';
  const owner = Number(pid);
  return processLives(owner) && (await birthOf(owner)) === born ? owner : 'dead';
}
