/** What the file system is asked for in many places, and its errors in words; the cache folder. */

import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasCode, UserError } from './errors.js';

/** Where downloads and indices are kept: `$SCRL_HOME`, else `$XDG_CACHE_HOME/scrl`, else `~/.cache/scrl`. */
export function cacheFolder(): string {
  const home = process.env.SCRL_HOME;
  if (home !== undefined && home !== '') return resolve(home);
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'scrl');
}

/** Creates a file; when this returns, its bytes are on the disk. @returns what `write` does */
export async function durably<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'wx');
  try {
    const result = await write(file);
    await file.sync();
    return result;
  } finally {
    await file.close();
  }
}

/** Makes a rename durable. Not every file system lets a folder be synced, and then there is nothing to do. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    if (!hasCode(error, 'EINVAL', 'EPERM', 'ENOTSUP', 'EISDIR')) throw error;
  } finally {
    await handle.close();
  }
}

/** Turns the system errors that a user can do something about into a `UserError`; returns any other unchanged. */
export function explainWriteError(path: string, error: unknown): unknown {
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) {
    return new UserError('no space left on the disk; nothing was replaced', {
      where: path,
      remedy: 'free some space, or choose another folder',
      cause: error,
    });
  }
  if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) {
    return new UserError('cannot be written: permission denied or read-only', {
      where: path,
      remedy: 'choose a folder that you may write to',
      cause: error,
    });
  }
  // Node's recursive mkdir says ENOENT on a read-only file system too.
  if (hasCode(error, 'ENOENT')) {
    return new UserError('cannot be created: its folder is gone, or on a read-only file system', {
      where: path,
      remedy: 'choose a folder that exists and that you may write to',
      cause: error,
    });
  }
  if (hasCode(error, 'ENOTDIR', 'EISDIR', 'EEXIST')) {
    return new UserError('cannot be written: a file stands where a folder is needed, or the reverse', {
      where: path,
      remedy: 'choose another path',
      cause: error,
    });
  }
  return error;
}

/** Size in bytes, or undefined when there is no such file or folder. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Makes a folder and those above it, where they are not there. @throws UserError when it cannot be made */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error) => {
    throw explainWriteError(path, error);
  });
}

/** The names in a folder, in the order of the file system; none when there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
