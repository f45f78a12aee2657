/**
 * Outputs of commands: whole or absent, and never in the place of something that is not theirs. A device, a pipe, a socket is never
 * replaced, nor is a link: what is written goes where the name says, or nowhere.
 */

import { rmSync, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readlink, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, UserError } from './errors.js';
import { durably, explainWriteError, syncFolder } from './fs.js';
import { temporaryName, tidyBeside, tidyFolder } from './temporary.js';

export interface ReplaceOptions {
  /** Whether something that is there may be replaced. */
  readonly overwrite?: boolean | undefined;
  /** Gives up; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
  /** Whether a folder that is there is one that this command writes; default: none is. */
  readonly isOurs?: (folder: string) => Promise<boolean>;
  /** What is read: it is not replaced. */
  readonly source?: string | undefined;
}

/**
 * Gives `work` a temporary path beside the target, and renames what is there afterwards. Of two that write one new name, the
 * second is refused.
 *
 * @throws UserError as `requireReplaceable`, and when the target appeared meanwhile; the signal's reason when it was aborted
 */
export async function replaceWhole(
  path: string,
  options: ReplaceOptions,
  work: (temporary: string) => Promise<void>,
): Promise<void> {
  const { signal } = options;
  await tidyBeside(path);
  await requireReplaceable(path, options);
  signal?.throwIfAborted();
  const temporary = temporaryName(path);
  // Before the listener returns, as the process may end then: Ctrl-C leaves nothing behind, least of all gigabytes.
  const remove = () => rmSync(temporary, { force: true, recursive: true });
  signal?.addEventListener('abort', remove);
  try {
    await mkdir(dirname(path), { recursive: true });
    await work(temporary);
    signal?.throwIfAborted();
    // It may be another now.
    await requireReplaceable(path, options);
    await (options.overwrite ? swap(temporary, path) : place(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true, recursive: true }).catch(() => undefined);
    // Without its file, work may fail in many ways.
    signal?.throwIfAborted();
    throw explainWriteError(path, error);
  } finally {
    signal?.removeEventListener('abort', remove);
  }
}

/** @throws UserError when the target exists and `overwrite` is not set, or is none that may be replaced */
export async function requireReplaceable(
  path: string,
  { overwrite = false, isOurs, source }: ReplaceOptions,
): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined) return;
  if (!overwrite) throw taken(path);
  await refuseOther(path, status);
  if (status.isDirectory() && !(await isOurs?.(path))) {
    throw new UserError('is a folder that holds something else', {
      where: path,
      remedy: 'choose another name; such a folder is not replaced',
    });
  }
  const read = source === undefined ? undefined : await stat(source).catch(() => undefined);
  if (read !== undefined && read.ino === status.ino && read.dev === status.dev) {
    throw new UserError('is the file that is read: what is not taken from it would be lost', {
      where: path,
      remedy: 'choose another name',
    });
  }
}

/** @throws UserError for what is neither a file nor a folder */
async function refuseOther(path: string, status: Stats): Promise<void> {
  const kind = status.isSymbolicLink()
    ? `a link to ${await readlink(path).catch(() => 'another place')}`
    : status.isCharacterDevice() || status.isBlockDevice()
      ? 'a device'
      : status.isFIFO()
        ? 'a pipe'
        : status.isSocket()
          ? 'a socket'
          : undefined;
  if (kind === undefined) return;
  throw new UserError(`is ${kind}, which is not replaced`, {
    where: path,
    remedy: status.isSymbolicLink()
      ? 'give the name that it leads to, or remove the link'
      : 'choose the name of a file',
  });
}

function taken(path: string): UserError {
  return new UserError('exists already', { where: path, remedy: 'choose another name, or add --overwrite' });
}

/** Takes a new name, and fails when it is taken: by a second link to the file, where the file system has such. */
async function place(temporary: string, path: string): Promise<void> {
  try {
    if ((await lstat(temporary)).isDirectory()) {
      // Fails when there is anything in a folder of that name.
      await rename(temporary, path);
      return;
    }
    await link(temporary, path);
    await rm(temporary);
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'ENOTEMPTY', 'ENOTDIR')) throw taken(path);
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
    await placeWithoutLinks(temporary, path);
  }
}

/** The name is taken by an empty file first. */
async function placeWithoutLinks(temporary: string, path: string): Promise<void> {
  const empty = await open(path, 'wx').catch((error) => {
    throw hasCode(error, 'EEXIST') ? taken(path) : error;
  });
  await empty.close();
  await rename(temporary, path);
}

/** A folder cannot be renamed over another: the old one is moved aside first, and back if that fails. */
async function swap(temporary: string, path: string): Promise<void> {
  const isFolder = (await lstat(path).catch(() => undefined))?.isDirectory() === true;
  if (!isFolder) {
    await rename(temporary, path);
    return;
  }
  const old = temporaryName(path, 'old');
  await rename(path, old);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rename(old, path);
    throw error;
  }
  await rm(old, { recursive: true });
}

/**
 * Writes a file beside `path`, flushes it to the disk and renames it into place. On any error the old file, if there
 * was one, is still there and the unfinished one is gone.
 *
 * @param write receives the open file; may write in any order
 * @throws UserError when the disk is full or the folder cannot be written
 */
export async function writeAtomic(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const there = await lstat(path).catch(() => undefined);
    if (there !== undefined) await refuseOther(path, there);
    await tidyOnce(dirname(path));
    await mkdir(dirname(path), { recursive: true });
    await durably(temporary, write);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw explainWriteError(path, error);
  }
}

/** `writeAtomic` of a text or of bytes. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await writeAtomic(path, (file) => file.writeFile(content));
}

const tidied = new Set<string>();

/** Looks through a folder once: a command may write thousands of files into one. */
async function tidyOnce(folder: string): Promise<void> {
  if (tidied.has(folder)) return;
  tidied.add(folder);
  await tidyFolder(folder);
}
