/** Refuses what would not fit on a disk, before anything is written. */

import { statfs } from 'node:fs/promises';
import { formatBytes } from './clock.js';
import { UserError } from './errors.js';

/**
 * @param folder must exist
 * @param remedy what else than freeing some space helps
 * @throws UserError when `bytes` do not fit. File systems that do not tell their size are trusted.
 */
export async function requireSpace(folder: string, bytes: number, remedy: string): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  if (blocks === 0 || free >= bytes) return;
  throw new UserError(`${formatBytes(bytes)} are needed, but only ${formatBytes(free)} are free`, {
    where: folder,
    remedy: `free some space, or ${remedy}`,
  });
}
