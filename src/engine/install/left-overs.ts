/** Temporary folders of installs that were killed: they hold up to some gigabytes, and nobody else removes them. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { processLives } from '../../core/process.js';

/**
 * Removes what `temporaryName` named for processes that are gone. The lock must be held: then this process has none of its
 * own, and one with its number is from before a restart.
 */
export async function removeLeftOvers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const owner = /\.(\d+)-[0-9a-f]+\.tmp$/.exec(name)?.[1];
    if (owner === undefined) continue;
    if (Number(owner) !== process.pid && processLives(Number(owner))) continue;
    await rm(join(root, name), { recursive: true, force: true });
  }
}
