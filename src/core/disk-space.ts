/** Refuses what would not fit on a disk, before anything is written. */

import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { formatBytes } from './clock.js';
import { hasCode, UserError } from './errors.js';

/**
 * @param path what is to be written, or its folder; the disk is that of the nearest parent that exists
 * @param remedy what else than freeing some space helps
 * @throws UserError when `bytes` do not fit. File systems that do not tell their size are trusted.
 */
export async function requireSpace(path: string, bytes: number, remedy: string): Promise<void> {
  const { bavail, bsize, blocks } = await statistics(resolve(path));
  const free = bavail * bsize;
  if (blocks === 0 || free >= bytes) return;
  throw new UserError(`${formatBytes(bytes)} are needed, but only ${formatBytes(free)} are free`, {
    where: path,
    remedy: `free some space, or ${remedy}`,
  });
}

async function statistics(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error;
    return statistics(dirname(path));
  }
}
