/** Opens any file of weights: what it is, is found out from its content. Tensors are lazy, in PyTorch's layout. */

import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../core/errors.js';
import { type Log, SILENT } from '../core/log.js';
import { type ByteSource, fileSource } from '../formats/byte-source.js';
import { detectContainer } from '../formats/detect.js';
import { readNpz } from '../formats/npz.js';
import { readNumpyPickle } from '../formats/numpy-pickle.js';
import { readSafetensors } from '../formats/safetensors.js';
import { readTfjs } from '../formats/tfjs.js';
import { readTorch } from '../formats/torch-pth.js';
import type { FileDict, FileValue } from '../formats/value.js';
import { ZipReader } from '../formats/zip/reader.js';
import { lastCheckpointPath } from './checkpoint-files.js';
import { tensorGroups } from './find-backbones.js';
import { fromTfjs } from './tfjs-layout.js';

/** What a file can be, as users call it. */
export type WeightsFormat =
  | 'PyTorch'
  | 'PyTorch before 1.6'
  | 'pickle'
  | 'safetensors'
  | 'NumPy npz'
  | 'TensorFlow.js';

export interface OpenedWeights {
  /** What was read. */
  readonly path: string;
  readonly format: WeightsFormat;
  readonly value: FileDict;
  /** Texts beside the tensors, where the format has a place for them. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Tensors of element types that are not read: name and type. */
  readonly unsupported: ReadonlyMap<string, string>;
}

/**
 * @param given a file; the folder of TensorFlow.js weights, or its `model.json`; or a run folder: then its
 * `checkpoint_last.pth`
 * @throws UserError when it is missing, damaged, or no file of weights
 */
export async function openWeights(given: string, log: Log = SILENT): Promise<OpenedWeights> {
  const path = await withoutRunFolder(given);
  const isFolder = path === given && (await isDirectory(path));
  if (isFolder || basename(path) === 'model.json') return openTfjs(isFolder ? path : dirname(path));
  const source = await fileSource(path);
  const { format, value, ...rest } = await readAny(source, log);
  if (!(value instanceof Map)) {
    throw new UserError('holds no dict of tensors', {
      where: path,
      remedy: 'save the state dict, not the model or a single tensor',
    });
  }
  requireSensible(value, path);
  const opened = { path, format, value, metadata: new Map(), unsupported: new Map(), ...rest };
  const unread = [...opened.unsupported].map(([name, type]) => `${name} (${type})`);
  if (unread.length > 0) log.info(`${path}: not read, as no tensors: ${unread.join(', ')}`);
  return opened;
}

/** Hundred times as many as a large network has: each is looked at and opened by itself. */
const MOST_TENSORS = 200_000;

/** @throws UserError for more tensors than any network has */
function requireSensible(value: FileDict, where: string): void {
  const count = tensorGroups(value).reduce((sum, { tensors }) => sum + tensors.size, 0);
  if (count <= MOST_TENSORS) return;
  throw new UserError(`has ${count} tensors; ${MOST_TENSORS} is the limit`, {
    where,
    remedy: 'save the network alone, without what belongs to single images',
  });
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** The checkpoint that a run folder stands for; any other path as it is. */
async function withoutRunFolder(path: string): Promise<string> {
  if (!(await isDirectory(path))) return path;
  const names = await readdir(path);
  if (names.includes('model.json')) return path;
  if (names.includes('checkpoint_last.pth')) return lastCheckpointPath(path);
  throw new UserError('is a folder with neither a model.json of TensorFlow.js nor a checkpoint_last.pth', {
    where: path,
    remedy: 'name a file of weights, or the folder of a run',
  });
}

interface Read {
  format: WeightsFormat;
  value: FileValue;
  metadata?: ReadonlyMap<string, string>;
  unsupported?: ReadonlyMap<string, string>;
}

async function readAny(source: ByteSource, log: Log): Promise<Read> {
  const container = await detectContainer(source);
  switch (container) {
    case 'pickle':
      return { format: 'pickle', value: readNumpyPickle(source, { log }) };
    case 'legacy':
      return { format: 'PyTorch before 1.6', value: await readTorch(source, { log }) };
    case 'safetensors': {
      const { tensors, metadata, unsupported } = await readSafetensors(source);
      return { format: 'safetensors', value: tensors, metadata, unsupported };
    }
    case 'zip': {
      const names = [...(await ZipReader.open(source)).entries.keys()];
      if (!names.every((name) => name.endsWith('.npy'))) {
        return { format: 'PyTorch', value: await readTorch(source, { log }) };
      }
      const { entries, unsupported } = await readNpz(source);
      const tensors: FileDict = new Map();
      for (const [name, entry] of entries) if ('dtype' in entry) tensors.set(name, entry);
      return { format: 'NumPy npz', value: tensors, unsupported };
    }
  }
}

async function openTfjs(path: string): Promise<OpenedWeights> {
  const { tensors, metadata, unsupported } = await readTfjs(path);
  const texts = new Map(
    [...metadata].map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
  return { path, format: 'TensorFlow.js', value: fromTfjs(tensors, texts), metadata: texts, unsupported };
}
