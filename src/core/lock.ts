/**
 * A lock between processes whose waiters take turns.
 *
 * The file names its owner (`core/process.ts`). Whether one on this machine lives can be asked; one in another container or on
 * another host is alive as long as it touches the file now and then. What counts is only whether the file changes while one
 * looks at it: dates are set by other clocks, and are not compared with ours.
 */

import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errors.js';
import { explainWriteError } from './fs.js';
import { describeOwner, isHere, lives, type Owner, readOwner, self, writeOwner } from './process.js';
import { temporaryName } from './temporary.js';

const POLL_MILLISECONDS = 200;
/** The moment in which a process makes its lock and writes into it is not worth a word. */
const QUIET_MILLISECONDS = 1_000;
const BEAT_MILLISECONDS = 5_000;
/** A file without an owner is just being written; longer than this, its writer was killed. */
const UNWRITTEN_MILLISECONDS = 5_000;
/** An owner elsewhere that let so many beats pass is gone. */
const SILENT_MILLISECONDS = 12 * BEAT_MILLISECONDS;

/**
 * Runs `work` while holding the lock file `path`; other processes wait. A lock whose owner no longer lives is taken over.
 *
 * @param onWait called once, with who holds the lock, when somebody does
 * @param now milliseconds from any fixed moment, never going back
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait?: (owner: string) => void,
  now = () => performance.now(),
): Promise<T> {
  await mkdir(dirname(path), { recursive: true }).catch((error) => {
    throw explainWriteError(path, error);
  });
  const watch = new Watch(now);
  let said = false;
  while (!(await taken(path))) {
    const seen = await look(path);
    if (seen === undefined) continue;
    const unchanged = watch.unchangedFor(seen);
    if (await isDead(seen, unchanged)) await remove(path);
    else {
      if (!said && (seen.owner !== undefined || unchanged > QUIET_MILLISECONDS)) {
        onWait?.(seen.owner === undefined ? 'a process that is just starting' : describeOwner(seen.owner));
        said = true;
      }
      await new Promise((wake) => setTimeout(wake, POLL_MILLISECONDS));
    }
  }
  const beat = setInterval(() => {
    const date = new Date();
    utimes(path, date, date).catch(() => undefined);
  }, BEAT_MILLISECONDS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

/** Whether the lock is ours now; false when somebody else holds it. */
async function taken(path: string): Promise<boolean> {
  const file = await open(path, 'wx').catch((error) => {
    if (hasCode(error, 'EEXIST')) return undefined;
    throw explainWriteError(path, error);
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(writeOwner(await self()));
    return true;
  } catch (error) {
    // On a full disk the file exists, but says nothing.
    await rm(path, { force: true });
    throw explainWriteError(path, error);
  } finally {
    await file.close();
  }
}

interface Seen {
  /** Undefined: nobody has written it yet. */
  readonly owner: Owner | undefined;
  /** Changes with every beat. */
  readonly state: string;
}

/** @returns undefined when the lock was released */
async function look(path: string): Promise<Seen | undefined> {
  try {
    const { ino, mtimeMs } = await stat(path);
    const text = await readFile(path, 'utf8');
    return { owner: readOwner(text), state: `${ino} ${mtimeMs} ${text}` };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** For how long one has looked at the same. */
class Watch {
  readonly #now: () => number;
  #state = '';
  #since = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds. */
  unchangedFor({ state }: Seen): number {
    const now = this.#now();
    if (state !== this.#state) {
      this.#state = state;
      this.#since = now;
    }
    return now - this.#since;
  }
}

async function isDead({ owner }: Seen, unchanged: number): Promise<boolean> {
  if (owner === undefined) return unchanged > UNWRITTEN_MILLISECONDS;
  return isHere(owner) ? !(await lives(owner)) : unchanged > SILENT_MILLISECONDS;
}

/** Two waiters may both see a dead owner: only the one whose rename succeeds removes it. */
async function remove(path: string): Promise<void> {
  const aside = temporaryName(path);
  await rename(path, aside).then(
    () => rm(aside, { force: true }),
    () => undefined,
  );
}
