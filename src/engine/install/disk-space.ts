/** Refuses an installation that would not fit, before anything is downloaded. */

import { statfs } from 'node:fs/promises';
import { formatBytes } from '../../core/clock.js';
import { UserError } from '../../core/errors.js';

/** @throws UserError when `bytes` do not fit. File systems that do not tell their size are trusted. */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  if (blocks === 0 || free >= bytes) return;
  throw new UserError(`${formatBytes(bytes)} are needed, but only ${formatBytes(free)} are free`, {
    where: folder,
    remedy: 'free some space, or set SCRL_HOME to a folder on another disk',
  });
}
