/**
 * Writes a `.pth` file that `torch.load(path, weights_only=True)` reads: the zip container, pickle protocol 2.
 *
 * Shapes and types are known before elements are, so the pickle is written first and the tensors follow one by one: only
 * one lazily loaded tensor is in memory at a time. A tensor object that occurs twice is written once and stays shared. All
 * tensors are contiguous and on the CPU; dicts are plain dicts. Equal values give equal files.
 */

import {
  bytesOf,
  type DType,
  elementCount,
  loadTensor,
  rowMajorStrides,
  type TensorSource,
} from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import { HOST_IS_LITTLE_ENDIAN } from '../byte-order.js';
import { PickleWriter } from '../pickle/writer.js';
import { type WritableFile, type WrittenEntry, ZipWriter } from '../zip/writer.js';
import { STORAGE_CLASS } from './storage.js';
import { isTensor, PyFloat, PyOpaque, type TorchValue } from './value.js';

/** Sizes and checksums of the archive's members, by name. */
export type WrittenArchive = ReadonlyMap<string, WrittenEntry>;

/** The archive's folder; PyTorch takes any name. */
const ROOT = 'archive';
const DEEPEST = 200;
/** Python's own batch, so that readers with a limited stack cope. */
const BATCH = 1000;

/** @returns what was meant to be written, to compare the file with */
export async function writeTorch(file: WritableFile, value: TorchValue): Promise<WrittenArchive> {
  const tensors = new Map<TensorSource, string>();
  const pickle = writePickle(value, tensors);
  const zip = new ZipWriter(file);
  await zip.add(`${ROOT}/data.pkl`, pickle);
  await zip.add(`${ROOT}/byteorder`, Buffer.from(HOST_IS_LITTLE_ENDIAN ? 'little' : 'big'));
  for (const [source, key] of tensors) {
    const tensor = await loadTensor(source);
    if (tensor.dtype !== source.dtype || !sameShape(tensor.shape, source.shape)) {
      throw new Error(`tensor announced as ${describe(source)} turned out to be ${describe(tensor)}`);
    }
    if (tensor.data.length !== elementCount(tensor.shape)) {
      throw new Error(`tensor ${describe(tensor)} has ${tensor.data.length} elements`);
    }
    await zip.add(`${ROOT}/data/${key}`, bytesOf(tensor));
  }
  await zip.add(`${ROOT}/version`, Buffer.from('3\n'));
  return zip.finish();
}

/** @param tensors receives the tensors that were met and their storage keys */
function writePickle(root: TorchValue, tensors: Map<TensorSource, string>): Uint8Array {
  const out = new PickleWriter();
  const path: (string | number)[] = [];
  const fail = (problem: string) =>
    new UserError(`cannot be saved in a .pth file: ${problem}`, {
      key: path.length === 0 ? 'value' : path.join('.'),
      remedy: 'leave it out, or turn it into numbers, text, lists, dicts or tensors',
    });

  function write(value: TorchValue): void {
    if (path.length > DEEPEST) throw fail('it is nested too deep, or contains itself');
    if (value === null) out.op('N');
    else if (typeof value === 'boolean') out.op(value ? '\x88' : '\x89');
    else if (typeof value === 'string') text(value);
    else if (typeof value === 'bigint') out.int(value);
    else if (typeof value === 'number') number(value);
    else if (value instanceof PyFloat) out.float(value.value);
    else if (value instanceof Uint8Array) out.bytes(value);
    else if (Array.isArray(value)) {
      out.op(']');
      batches(
        value.map((item, i) => [i, item]),
        'e',
        write,
      );
    } else if (value instanceof Map) {
      out.op('}');
      const pair = (item: TorchValue, key: string | number) => {
        if (typeof key === 'number') number(key);
        else text(key);
        write(item);
      };
      batches([...value], 'u', pair);
    } else if (value instanceof PyOpaque) throw fail(`it is an object of ${value.name} that was not read`);
    else if (isTensor(value)) tensor(value);
    else throw fail(`its kind is not known (${typeof value})`);
  }

  function batches(
    items: readonly [string | number, TorchValue][],
    close: string,
    each: (item: TorchValue, key: string | number) => void,
  ): void {
    for (let start = 0; start < items.length; start += BATCH) {
      out.op('(');
      for (const [key, item] of items.slice(start, start + BATCH)) {
        path.push(key);
        each(item, key);
        path.pop();
      }
      out.op(close);
    }
  }

  function number(value: number): void {
    if (!Number.isInteger(value) || Object.is(value, -0)) out.float(value);
    else if (Number.isSafeInteger(value)) out.int(value);
    else throw fail(`${value} may be an int or a float; use a bigint or float()`);
  }

  function text(value: string): void {
    try {
      out.text(value);
    } catch (error) {
      throw fail(error instanceof RangeError ? error.message : String(error));
    }
  }

  function tensor(value: TensorSource): void {
    const key = tensors.get(value) ?? String(tensors.size);
    tensors.set(value, key);
    const { dtype, shape } = value;
    out.global('torch._utils', '_rebuild_tensor_v2').op('(');
    out.op('(').text('storage').global('torch', `${STORAGE_CLASS[dtype]}Storage`).text(key).text('cpu');
    out.int(elementCount(shape)).op('t').op('Q').int(0);
    sizes(shape);
    sizes(rowMajorStrides(shape));
    // requires_grad, backward hooks
    out.op('\x89').global('collections', 'OrderedDict').op(')').op('R').op('t').op('R');
  }

  function sizes(values: readonly number[]): void {
    out.op('(');
    for (const value of values) out.int(value);
    out.op('t');
  }

  write(root);
  return out.finish();
}

function describe({ dtype, shape }: { dtype: DType; shape: readonly number[] }): string {
  return `${dtype} [${shape}]`;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((side, axis) => side === b[axis]);
}
