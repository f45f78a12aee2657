/**
 * Stamps: what tells, without touching a million files, whether a data set is still as it was listed.
 *
 * A folder's stamp changes when a file in it is added, removed or renamed. Not noticed: a file overwritten in place, and
 * a change behind a link to a single file.
 */

import { readdir, stat } from 'node:fs/promises';

export interface Stamp {
  /** Absolute path of a folder or file. */
  path: string;
  mtimeMs: number;
  /** Entries of a folder, bytes of a file; -1 when it does not exist. */
  size: number;
}

export async function takeStamp(path: string): Promise<Stamp> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return { path, mtimeMs: -1, size: -1 };
  // The time is taken before the entries: a change in between makes the stamp old, never too new.
  const size = found.isDirectory() ? (await readdir(path)).length : found.size;
  return { path, mtimeMs: found.mtimeMs, size };
}

export async function stampsHold(stamps: readonly Stamp[]): Promise<boolean> {
  const lanes = 8;
  for (let first = 0; first < stamps.length; first += lanes) {
    const then = stamps.slice(first, first + lanes);
    const now = await Promise.all(then.map(({ path }) => takeStamp(path)));
    if (now.some(({ mtimeMs, size }, i) => mtimeMs !== then[i].mtimeMs || size !== then[i].size))
      return false;
  }
  return true;
}
