/**
 * Writes files of weights: beside the target, read back, compared, and only then renamed. An existing file is replaced only
 * on request, and only by a whole one.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../core/errors.js';
import { durably } from '../core/fs.js';
import { replaceWhole, requireReplaceable } from '../core/replace.js';
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
  /** What the value is read from: it is not replaced. */
  readonly source?: string | undefined;
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
  await replaceWhole(path, { ...options, isOurs: holdsOnlyTfjs }, async (temporary) => {
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

/** Folders of TensorFlow.js weights are replaced, and no others. @throws UserError */
export async function requireWeightsReplaceable(path: string, options: WriteOptions): Promise<void> {
  await requireReplaceable(path, { ...options, isOurs: holdsOnlyTfjs });
}

async function holdsOnlyTfjs(path: string): Promise<boolean> {
  const names = await readdir(path);
  return (
    names.includes('model.json') && names.every((name) => name === 'model.json' || name.endsWith('.bin'))
  );
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
