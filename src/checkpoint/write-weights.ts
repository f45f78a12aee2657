/**
 * Writes files of weights: beside the target, read back, compared, and only then renamed. An existing file is replaced only
 * on request, and only by a whole one.
 */

import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { type FileHandle, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../core/errors.js';
import { durably, explainWriteError, temporaryName } from '../core/fs.js';
import { writeNpz } from '../formats/npz.js';
import { writeNumpyPickle } from '../formats/numpy-pickle.js';
import { writeSafetensors } from '../formats/safetensors.js';
import { writeTfjs } from '../formats/tfjs.js';
import { writeTorch } from '../formats/torch-pth.js';
import { type FileDict, isTensor } from '../formats/value.js';
import { firstDifference } from './compare-values.js';
import { openWeights } from './open-weights.js';
import type { StateDict } from './state-dict.js';
import { toTfjs } from './tfjs-layout.js';

/** The kinds of files that can be written and read again. */
export const CONTAINERS = ['pth', 'pkl', 'safetensors', 'tfjs', 'npz'] as const;
export type Container = (typeof CONTAINERS)[number];

export interface WriteOptions {
  /** Texts for formats that have a place for them: safetensors, TensorFlow.js. */
  readonly metadata?: ReadonlyMap<string, string>;
  readonly overwrite?: boolean;
  /** Gives up writing; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param value tensors may be lazy; they are loaded one after the other, twice
 * @throws UserError when the target exists and may not be replaced, when it cannot be written, when the format has no place
 * for the value, or when what arrived is not what was sent
 */
export async function writeWeights(
  path: string,
  container: Container,
  value: FileDict,
  options: WriteOptions = {},
): Promise<void> {
  const metadata = options.metadata ?? new Map<string, string>();
  await replaceWhole(path, options, async (temporary) => {
    if (container === 'tfjs') {
      const { tensors, metadata: marked } = toTfjs(flat(value, container), metadata);
      await writeTfjs(temporary, tensors, marked);
    } else {
      await durably(temporary, (file) => writeFile(file, container, value, metadata));
    }
    const { value: found } = await openWeights(temporary);
    const difference = await firstDifference(value, found);
    if (difference === undefined) return;
    throw new UserError(`did not arrive on the disk as it was written (${difference})`, {
      where: path,
      remedy: 'the disk or the network folder may be failing, choose another one; nothing was replaced',
    });
  });
}

async function writeFile(
  file: FileHandle,
  container: Exclude<Container, 'tfjs'>,
  value: FileDict,
  metadata: ReadonlyMap<string, string>,
): Promise<void> {
  switch (container) {
    case 'pth':
      await writeTorch(file, value);
      return;
    case 'pkl':
      return writeNumpyPickle(file, value);
    case 'safetensors':
      return writeSafetensors(file, flat(value, container), metadata);
    case 'npz':
      return writeNpz(file, flat(value, container));
  }
}

/** The value as names of tensors, all that these formats hold. */
function flat(value: FileDict, container: Container): StateDict {
  const dict: StateDict = new Map();
  for (const [key, item] of value) {
    if (typeof key !== 'string' || !isTensor(item)) {
      throw new UserError(`a ${container} file holds tensors only`, {
        key: String(key),
        remedy: 'write a .pth file',
      });
    }
    dict.set(key, item);
  }
  return dict;
}

/**
 * Gives `work` a temporary path beside the target, and renames what is there afterwards.
 *
 * @throws UserError when the target exists and `overwrite` is not set, or is a folder that holds something else than
 * TensorFlow.js weights; the signal's reason when it was aborted
 */
export async function replaceWhole(
  path: string,
  { overwrite = false, signal }: Pick<WriteOptions, 'overwrite' | 'signal'>,
  work: (temporary: string) => Promise<void>,
): Promise<void> {
  await requireReplaceable(path, overwrite);
  signal?.throwIfAborted();
  const temporary = temporaryName(path);
  // Before the listener returns, as the process may end then: Ctrl-C leaves nothing behind, least of all gigabytes.
  const remove = () => rmSync(temporary, { force: true, recursive: true });
  signal?.addEventListener('abort', remove);
  try {
    await mkdir(dirname(path), { recursive: true });
    await work(temporary);
    signal?.throwIfAborted();
    await swap(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true, recursive: true }).catch(() => undefined);
    // Without its file, work may fail in many ways.
    signal?.throwIfAborted();
    throw explainWriteError(path, error);
  } finally {
    signal?.removeEventListener('abort', remove);
  }
}

/** @throws UserError */
export async function requireReplaceable(path: string, overwrite: boolean): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return;
  if (!overwrite) {
    throw new UserError('exists already', { where: path, remedy: 'choose another name, or add --overwrite' });
  }
  if (status.isDirectory() && !(await holdsOnlyTfjs(path))) {
    throw new UserError('is a folder that holds more than TensorFlow.js weights', {
      where: path,
      remedy: 'choose another name; such a folder is not replaced',
    });
  }
}

async function holdsOnlyTfjs(path: string): Promise<boolean> {
  const names = await readdir(path);
  return (
    names.includes('model.json') && names.every((name) => name === 'model.json' || name.endsWith('.bin'))
  );
}

/** A folder cannot be renamed over another: the old one is moved aside first, and back if that fails. */
async function swap(temporary: string, path: string): Promise<void> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  if (!isFolder) {
    await rename(temporary, path);
    return;
  }
  const old = temporaryName(path);
  await rename(path, old);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rename(old, path);
    throw error;
  }
  await rm(old, { recursive: true });
}

/** Hash of a file, or of the files of a folder in the order of their names. @returns hexadecimal digits, and bytes */
export async function fingerprint(path: string): Promise<{ sha256: string; bytes: number }> {
  const isFolder = (await stat(path)).isDirectory();
  const files = isFolder ? (await readdir(path)).sort().map((name) => join(path, name)) : [path];
  const hash = createHash('sha256');
  let bytes = 0;
  for (const file of files) {
    if (isFolder) hash.update(`${basename(file)}\0`);
    for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
    }
  }
  return { sha256: hash.digest('hex'), bytes };
}
