/**
 * Weights in the form of TensorFlow.js: a folder with `model.json`, which lists names, shapes and element types, and binary
 * shards of 4 MB. No graph: what is here is a state dict for `tf.io.loadWeights`.
 *
 * Layouts are the caller's business. Tensors are read one by one, across shards.
 */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DType,
  elementCount,
  elementSize,
  type HostTensor,
  hostTensor,
  type LazyTensor,
  type TensorSource,
  tensorFromBytes,
} from '../core/array.js';
import { hasCode, UserError } from '../core/errors.js';
import { durably } from '../core/fs.js';
import { HOST_IS_LITTLE_ENDIAN, swapBytes } from './byte-order.js';
import { ByteSink } from './byte-sink.js';
import { type ByteSource, damaged, fileSource } from './byte-source.js';
import { byteLength, littleEndianPieces } from './streamed-tensor.js';

export interface TfjsFile {
  readonly tensors: Map<string, LazyTensor>;
  /** `userDefinedMetadata`. */
  readonly metadata: Map<string, unknown>;
  /** Tensors of element types that are not read: name and type. */
  readonly unsupported: Map<string, string>;
}

const MODEL = 'model.json';
/** As TensorFlow.js's own converter cuts them: browsers cache files of this size. */
const SHARD = 4 * 2 ** 20;
const LARGEST_MODEL = 100_000_000;

/** How elements are stored, and what they become. */
interface Storage {
  readonly stored: DType | 'uint16';
  readonly dtype: DType;
  decode(bytes: Uint8Array<ArrayBuffer>, shape: readonly number[]): HostTensor;
}

/** @param folder that holds `model.json` @throws UserError when something is missing or does not fit */
export async function readTfjs(folder: string): Promise<TfjsFile> {
  const path = join(folder, MODEL);
  const model = await readModel(path);
  const manifest = model.weightsManifest;
  if (!Array.isArray(manifest)) throw damaged(path, 'lists no weights', 'weightsManifest');
  const tensors = new Map<string, LazyTensor>();
  const unsupported = new Map<string, string>();
  for (const group of manifest) {
    const { paths, weights } = (group ?? {}) as { paths?: unknown; weights?: unknown };
    if (!Array.isArray(paths) || !Array.isArray(weights)) {
      throw damaged(path, 'has a group without paths or weights', 'weightsManifest');
    }
    const shards = await openShards(folder, path, paths);
    let position = 0;
    for (const weight of weights) {
      const { name, shape, storage, type } = describeWeight(path, weight);
      if (tensors.has(name) || unsupported.has(name))
        throw damaged(path, 'stands twice in the manifest', name);
      if (storage === undefined) {
        unsupported.set(name, type);
        // Texts have no length of their own: nothing behind them can be found.
        if (type === 'string') throw damaged(path, 'holds texts, which are not read', name);
        position += 8 * elementCount(shape);
        continue;
      }
      const length = elementCount(shape) * (storage.stored === 'uint16' ? 2 : elementSize(storage.stored));
      const start = position;
      position += length;
      const load = async () => storage.decode(await shards.read(start, length), shape);
      tensors.set(name, { dtype: storage.dtype, shape, load });
    }
    if (position !== shards.size) {
      throw damaged(path, `needs ${position} bytes of weights, but its shards have ${shards.size}`);
    }
  }
  const metadata = model.userDefinedMetadata;
  const entries = typeof metadata === 'object' && metadata !== null ? Object.entries(metadata) : [];
  return { tensors, metadata: new Map(entries), unsupported };
}

async function readModel(path: string): Promise<Record<string, unknown>> {
  const source = await fileSource(path);
  if (source.size > LARGEST_MODEL)
    throw damaged(path, `has ${source.size} bytes; ${LARGEST_MODEL} is the limit`);
  let model: unknown;
  try {
    model = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw damaged(path, `is no JSON (${error instanceof Error ? error.message : error})`);
  }
  if (typeof model !== 'object' || model === null) throw damaged(path, 'is no JSON object');
  return model as Record<string, unknown>;
}

interface Shards {
  readonly size: number;
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

async function openShards(folder: string, model: string, paths: readonly unknown[]): Promise<Shards> {
  const parts: { start: number; source: ByteSource }[] = [];
  let size = 0;
  if (new Set(paths).size < paths.length) throw damaged(model, 'names a shard twice', 'weightsManifest');
  for (const name of paths) {
    if (
      typeof name !== 'string' ||
      !/^[^/\\:\0]+(\/[^/\\:\0]+)*$/.test(name) ||
      name.split('/').includes('..')
    ) {
      throw damaged(model, `names a shard outside of its folder, ${JSON.stringify(name)}`);
    }
    const source = await fileSource(join(folder, name));
    parts.push({ start: size, source });
    size += source.size;
  }
  return {
    size,
    async read(position, length) {
      const bytes = new Uint8Array(length);
      for (const { start, source } of parts) {
        const from = Math.max(position, start);
        const to = Math.min(position + length, start + source.size);
        if (from < to) bytes.set(await source.use((read) => read(from - start, to - from)), from - position);
      }
      return bytes;
    },
  };
}

function describeWeight(path: string, weight: unknown) {
  const { name, shape, dtype, quantization } = (weight ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string') throw damaged(path, 'lists a weight without a name', 'weightsManifest');
  const isShape =
    Array.isArray(shape) &&
    shape.every((side) => Number.isSafeInteger(side) && side >= 0) &&
    Number.isSafeInteger(elementCount(shape));
  if (!isShape) throw damaged(path, 'has no shape of natural numbers', name);
  if (typeof dtype !== 'string') throw damaged(path, 'has no dtype', name);
  const storage = quantization === undefined ? PLAIN.get(dtype) : quantized(path, name, quantization);
  const known = storage !== undefined || dtype === 'string' || dtype === 'complex64';
  if (!known) throw damaged(path, `has the unknown dtype ${JSON.stringify(dtype)}`, name);
  return { name, shape: shape as number[], storage, type: dtype };
}

const PLAIN = new Map<string, Storage>(
  (['float32', 'int32', 'bool'] as const).map((dtype) => [dtype, asTheyAre(dtype)]),
);

function asTheyAre(dtype: DType): Storage {
  return {
    stored: dtype,
    dtype,
    decode(bytes, shape) {
      if (!HOST_IS_LITTLE_ENDIAN) swapBytes(bytes, elementSize(dtype));
      return tensorFromBytes(dtype, shape, bytes);
    },
  };
}

/** Halves stay halves; whole numbers stand for evenly spaced values. */
function quantized(path: string, name: string, quantization: unknown): Storage {
  const { dtype, min, scale } = (quantization ?? {}) as Record<string, unknown>;
  if (dtype === 'float16') return asTheyAre('float16');
  const isWhole = dtype === 'uint8' || dtype === 'uint16';
  if (!isWhole || typeof min !== 'number' || typeof scale !== 'number') {
    throw damaged(path, 'is quantised in a way that is not known', name);
  }
  return {
    stored: dtype,
    dtype: 'float32',
    decode(bytes, shape) {
      const codes = dtype === 'uint8' ? bytes : wholeNumbers(bytes);
      return hostTensor(
        'float32',
        shape,
        Float32Array.from(codes, (code) => code * scale + min),
      );
    },
  };
}

function wholeNumbers(bytes: Uint8Array<ArrayBuffer>): Uint16Array {
  if (!HOST_IS_LITTLE_ENDIAN) swapBytes(bytes, 2);
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}

/**
 * Writes a folder that does not exist yet, a temporary one: when this throws, a part of it is there. One tensor is in memory at
 * a time; everything is on the disk when it returns.
 *
 * @throws UserError for an element type that TensorFlow.js does not have
 */
export async function writeTfjs(
  folder: string,
  tensors: ReadonlyMap<string, TensorSource>,
  metadata: ReadonlyMap<string, unknown> = new Map(),
): Promise<void> {
  const weights = [...tensors].map(([name, { dtype, shape }]) => {
    if (dtype === 'float16') return { name, shape, dtype: 'float32', quantization: { dtype } };
    if (PLAIN.has(dtype)) return { name, shape, dtype };
    throw new UserError(`TensorFlow.js has no ${dtype}`, {
      key: name,
      remedy: 'convert it to float32 (--dtype float32)',
    });
  });
  const total = [...tensors.values()].reduce((sum, tensor) => sum + byteLength(tensor), 0);
  const count = Math.max(1, Math.ceil(total / SHARD));
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  try {
    await mkdir(folder);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new UserError('exists already', { where: folder, remedy: 'choose another name' });
  }
  await writeShards(
    paths.map((path) => join(folder, path)),
    tensors,
  );
  const model = {
    format: 'graph-model',
    generatedBy: 'scrl',
    convertedBy: null,
    modelTopology: null,
    weightsManifest: [{ paths, weights }],
    userDefinedMetadata: Object.fromEntries(metadata),
  };
  await writeSynced(join(folder, MODEL), [Buffer.from(JSON.stringify(model))]);
}

/** Cuts the tensors, one behind the other, into files of the same size. */
async function writeShards(
  paths: readonly string[],
  tensors: ReadonlyMap<string, TensorSource>,
): Promise<void> {
  const pieces = cut(tensors);
  for (const path of paths) {
    let left = SHARD;
    await writeSynced(path, {
      async *[Symbol.asyncIterator]() {
        while (left > 0) {
          const { value, done } = await pieces.next(left);
          if (done) return;
          left -= value.length;
          yield value;
        }
      },
    });
  }
}

/** Gives at most as many bytes at a time as `next` asks for. */
async function* cut(
  tensors: ReadonlyMap<string, TensorSource>,
): AsyncGenerator<Uint8Array, undefined, number> {
  let most = SHARD;
  for (const tensor of tensors.values()) {
    for await (const piece of littleEndianPieces(tensor)) {
      for (let start = 0; start < piece.length; ) {
        const part = piece.subarray(start, start + most);
        start += part.length;
        most = yield part;
      }
    }
  }
  return undefined;
}

async function writeSynced(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  await durably(path, async (file) => {
    const sink = new ByteSink(file);
    for await (const piece of pieces) await sink.write(piece);
  });
}
