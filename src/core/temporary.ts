/**
 * Names of unfinished files beside the one that they will be, and what is done about those whose process is gone.
 *
 * `NAME.PID-HEX.tmp`: the first four of eight hexadecimal digits stand for host and namespace, where the number counts. A folder's
 * predecessor, moved aside until its successor is in place, ends in `.old`.
 */

import { createHash, randomBytes } from 'node:crypto';
import { lstat, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { hasCode } from './errors.js';
import { namesIn } from './fs.js';
import { NAMESPACE, processLives } from './process.js';

const HERE = createHash('sha256').update(`${hostname()}\0${NAMESPACE}`).digest('hex').slice(0, 4);

/** What another host or container left is nobody's after a day. */
const FOREIGN_HOURS = 24;

/** A name beside `path` that no other process uses. */
export function temporaryName(path: string, suffix: 'tmp' | 'old' = 'tmp'): string {
  return `${path}.${process.pid}-${HERE}${randomBytes(2).toString('hex')}.${suffix}`;
}

/**
 * Removes what processes that are gone left beside a file or folder. Where the kill came between two renames, and the target is
 * missing, its predecessor is put back.
 */
export async function tidyBeside(path: string): Promise<void> {
  await tidyFolder(dirname(path), basename(path));
}

/** The same for all left-overs in a folder, or for those of names that begin so. */
export async function tidyFolder(folder: string, beginning = ''): Promise<void> {
  for (const name of await namesIn(folder)) {
    const [, target, owner, place, suffix] =
      /^(.+)\.(\d+)-([0-9a-f]{4})[0-9a-f]{4}\.(tmp|old)$/.exec(name) ?? [];
    if (target === undefined || !target.startsWith(beginning)) continue;
    const left = join(folder, name);
    if (!(await isLeft(left, Number(owner), place))) continue;
    const successor = join(folder, target);
    if (suffix === 'old' && (await lstat(successor).catch(() => undefined)) === undefined)
      await rename(left, successor);
    else await rm(left, { recursive: true, force: true });
  }
}

async function isLeft(path: string, owner: number, place: string): Promise<boolean> {
  if (place === HERE) return owner !== process.pid && !processLives(owner);
  const status = await lstat(path).catch((error) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  return status !== undefined && Date.now() - status.mtimeMs > FOREIGN_HOURS * 3_600_000;
}
