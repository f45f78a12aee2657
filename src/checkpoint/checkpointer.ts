/**
 * Keeps the checkpoints of a run: a save either succeeds, verified, or leaves everything as it was.
 *
 * A checkpoint is written under a temporary name, flushed, read back and compared with what was meant, and only then
 * renamed; after that the link `checkpoint_last.pth` is replaced in one step. The link is relative, so a run folder may be
 * moved. The reference implementation wrote in place, from several processes at times, and some of its files cannot be
 * read.
 */

import { lstat, mkdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorMessage, hasCode, UserError } from '../core/errors.js';
import { durably, explainWriteError, sizeOf, syncFolder } from '../core/fs.js';
import { type Log, SILENT } from '../core/log.js';
import { temporaryName, tidyFolder } from '../core/temporary.js';
import { readTorchFile, verifyTorchFile, type WrittenArchive, writeTorch } from '../formats/torch-pth.js';
import type { FileDict, FileValue } from '../formats/value.js';
import { checkpointPath, describeWhole, LAST, lastCheckpointPath } from './checkpoint-files.js';

export {
  type CheckpointFile,
  hasLastCheckpoint,
  lastCheckpointPath,
  listCheckpoints,
} from './checkpoint-files.js';

export interface SaveOptions {
  /** Point `checkpoint_last.pth` to it; true by default. A best-so-far checkpoint is not what a run resumes from. */
  readonly last?: boolean;
  readonly log?: Log;
}

/**
 * Writes `checkpoint_{name}.pth`. Tensors may be lazy; they are loaded one after the other.
 *
 * @param folder made when it does not exist
 * @returns the path of the file
 * @throws UserError when the disk is full, the folder cannot be written, or what arrived is not what was sent
 */
export async function saveCheckpoint(
  folder: string,
  name: string,
  value: FileValue,
  options: SaveOptions = {},
): Promise<string> {
  if (!/^[\w.-]+$/.test(name) || name === LAST) {
    throw new UserError('a checkpoint cannot have this name', {
      value: name,
      remedy: `use letters, digits, "-", "_" and "."; "${LAST}" is the link`,
    });
  }
  const path = checkpointPath(folder, name);
  const temporary = temporaryName(path);
  try {
    await mkdir(folder, { recursive: true });
    await tidyFolder(folder, 'checkpoint_');
    const written = await durably(temporary, (file) => writeTorch(file, value));
    await verifyWritten(path, temporary, written);
    await rename(temporary, path);
    if (options.last !== false) await pointLast(folder, basename(path), options.log ?? SILENT);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw explainWriteError(path, error);
  }
  return path;
}

export interface LoadedCheckpoint {
  /** The file that was read. */
  readonly path: string;
  /** Tensors are lazy: `load()` one, or `loadAll`. */
  readonly value: FileDict;
}

/**
 * Reads a checkpoint, after checking every byte of it.
 *
 * @param folderOrFile a file, or a run folder: then its `checkpoint_last.pth`
 * @throws UserError when it is missing, damaged or no checkpoint; names the whole ones in the same folder
 */
export async function loadCheckpoint(folderOrFile: string, log: Log = SILENT): Promise<LoadedCheckpoint> {
  const isFolder = (await stat(folderOrFile).catch(() => undefined))?.isDirectory() === true;
  const folder = isFolder ? folderOrFile : dirname(folderOrFile);
  let path: string | undefined;
  try {
    path = isFolder ? await lastCheckpointPath(folder) : folderOrFile;
    await verifyTorchFile(path);
    const value = await readTorchFile(path, { log });
    if (!(value instanceof Map)) throw new UserError('is no checkpoint: it holds no dict', { where: path });
    return { path, value };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw error.with({ remedy: await describeWhole(folder, path) });
  }
}

/** Reads the file back and compares it with what was meant to be in it. */
async function verifyWritten(path: string, temporary: string, written: WrittenArchive): Promise<void> {
  try {
    await verifyTorchFile(temporary, written);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('did not arrive on the disk as it was written; nothing was replaced', {
      where: path,
      remedy: `the disk or the network folder may be failing, choose another one (${errorMessage(error)})`,
      cause: error,
    });
  }
}

/** Replaces the link in one step: readers see the old target or the new one. */
async function pointLast(folder: string, target: string, log: Log): Promise<void> {
  const link = checkpointPath(folder, LAST);
  const status = await lstat(link).catch(() => undefined);
  if (status?.isFile() === true) await keepImported(folder, link, log);
  const temporary = temporaryName(link);
  try {
    await symlink(target, temporary);
    await rename(temporary, link);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    if (!hasCode(error, 'EPERM', 'ENOSYS', 'ENOTSUP')) throw error;
    throw new UserError(`could not be linked to ${target}: the file system has no symbolic links`, {
      where: link,
      remedy:
        'the checkpoint itself was saved; choose a run folder on another file system, or resume from the file',
      cause: error,
    });
  }
}

/** A file that someone put in the link's place, to start from: moved aside, because it may be the only copy. */
async function keepImported(folder: string, link: string, log: Log): Promise<void> {
  let number = 1;
  while ((await sizeOf(checkpointPath(folder, `imported_${number}`))) !== undefined) number++;
  const kept = checkpointPath(folder, `imported_${number}`);
  await rename(link, kept);
  log.warn(`${link} was a file, not a link; it is now ${kept}`);
}
