/**
 * Builders for NumPy arrays and scalars, which end up in checkpoints as metrics, random states and whole weights.
 *
 * Every dialect: NumPy 1 and 2 (`numpy.core`, `numpy._core`), byte strings of protocol 2 (latin1 text) and later, arrays
 * by `_reconstruct` and BUILD or by `_frombuffer`, either byte order, row- or column-major. Element types that tensors do
 * not have (complex, text, objects, large unsigned integers) stay opaque.
 */

import {
  bytesOf,
  type DType,
  elementCount,
  elementSize,
  gatherStrided,
  type HostTensor,
  type LazyTensor,
  tensorFromBytes,
  toFloat32,
} from '../../core/array.js';
import { HOST_IS_LITTLE_ENDIAN, swapBytes } from '../byte-order.js';
import { damaged } from '../byte-source.js';
import { DTYPE_OF_CODE } from '../numpy-codes.js';
import type { FileValue } from '../value.js';
import { itemsOf, latin1Bytes } from './builtins.js';
import { narrow } from './cursor.js';
import { StoredBytes } from './input.js';
import type { Builder } from './machine.js';
import {
  type Budget,
  MalformedPickle,
  type PickleValue,
  PyFloat,
  PyObject,
  PyOpaque,
  PyTuple,
} from './values.js';

class NumpyDtype extends PyObject {
  readonly code: string;
  littleEndian = HOST_IS_LITTLE_ENDIAN;

  constructor(code: string) {
    super();
    this.code = code;
  }

  get dtype(): DType | undefined {
    return DTYPE_OF_CODE.get(this.code);
  }

  /** (version, byte order, ...): `<`, `>`, `=` native, `|` not applicable. */
  override setState(state: PickleValue): void {
    const order = itemsOf(state)[1];
    if (order === '<' || order === '>') this.littleEndian = order === '<';
  }

  reveal(): FileValue {
    return new PyOpaque('numpy.dtype', [this.code]);
  }
}

class NumpyArray extends PyObject {
  #shape: readonly number[] = [];
  #dtype: NumpyDtype | undefined;
  #columnMajor = false;
  #bytes: PickleValue = new Uint8Array(0);

  /** (version, shape, dtype, column-major, bytes) */
  override setState(state: PickleValue): void {
    const [, shape, dtype, columnMajor, bytes] = itemsOf(state);
    this.fill(shape, dtype, columnMajor === true, bytes);
  }

  fill(shape: PickleValue, dtype: PickleValue, columnMajor: boolean, bytes: PickleValue): this {
    if (!(dtype instanceof NumpyDtype)) throw new MalformedPickle('builds an array without a dtype');
    this.#shape = naturalNumbers(shape);
    this.#dtype = dtype;
    this.#columnMajor = columnMajor;
    this.#bytes = bytes;
    return this;
  }

  reveal(budget: Budget): HostTensor | LazyTensor | PyOpaque {
    const shape = this.#shape;
    const type = this.#dtype;
    const dtype = type?.dtype;
    if (type === undefined || dtype === undefined) {
      return new PyOpaque(`numpy.ndarray of ${type?.code ?? 'nothing'}`);
    }
    const order = this.#columnMajor ? rowMajor : (tensor: HostTensor) => tensor;
    const content = this.#bytes;
    if (!(content instanceof StoredBytes)) return order(decode(type, dtype, shape, content, budget));
    // A text has at least as many bytes as characters, and at most twice as many.
    const size = elementCount(shape) * elementSize(dtype);
    const fits = content.kind === 'bytes' ? content.length === size : content.length >= size;
    if (!fits) throw misfit();
    const load = async () => order(inHostOrder(type, dtype, shape, await content.load()));
    return {
      dtype,
      shape,
      load: () =>
        load().catch((error) => {
          if (!(error instanceof MalformedPickle)) throw error;
          throw damaged(content.source.name, `pickle ${error.message} (at byte ${content.position})`);
        }),
    };
  }
}

/** A column-major array, its axes in the order that its shape says. */
function rowMajor(tensor: HostTensor): HostTensor {
  const { dtype, shape } = tensor;
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  return tensorFromBytes(dtype, shape, gatherStrided(bytesOf(tensor), elementSize(dtype), shape, strides));
}

/** Copies the bytes out of the pickle. */
function decode(
  type: NumpyDtype,
  dtype: DType,
  shape: readonly number[],
  content: PickleValue,
  budget: Budget,
): HostTensor {
  const source = typeof content === 'string' ? latin1Bytes(content) : content;
  if (!(source instanceof Uint8Array)) throw misfit();
  budget.spend(source.length);
  return inHostOrder(type, dtype, shape, new Uint8Array(source));
}

/** @param bytes are changed */
function inHostOrder(
  type: NumpyDtype,
  dtype: DType,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): HostTensor {
  const size = elementSize(dtype);
  if (bytes.length !== elementCount(shape) * size) throw misfit();
  if (type.littleEndian !== HOST_IS_LITTLE_ENDIAN) swapBytes(bytes, size);
  return tensorFromBytes(dtype, shape, bytes);
}

function misfit(): MalformedPickle {
  return new MalformedPickle('holds an array whose bytes do not fit its shape');
}

const MOST_AXES = 64;

/** A tuple of sizes or strides. */
export function naturalNumbers(value: PickleValue): number[] {
  const items = itemsOf(value);
  if (items.length > MOST_AXES) throw new MalformedPickle(`holds an array of ${items.length} axes`);
  return items.map((item) => {
    if (typeof item !== 'number' || !(item >= 0))
      throw new MalformedPickle('holds a size that is no natural number');
    return item;
  });
}

const dtype: Builder = ([code]) => {
  if (typeof code !== 'string') return new PyOpaque('numpy.dtype', [code]);
  return new NumpyDtype(code);
};

const scalar: Builder = ([type, content], { copies }) => {
  if (!(type instanceof NumpyDtype) || type.dtype === undefined)
    return new PyOpaque('numpy scalar', [type, content]);
  const tensor = decode(type, type.dtype, [], content, copies);
  if (tensor.dtype === 'bool') return tensor.data[0] !== 0;
  if (tensor.dtype === 'int64') return narrow(tensor.data[0]);
  if (tensor.dtype === 'float64') return new PyFloat(tensor.data[0]);
  return type.dtype.includes('float') ? new PyFloat(toFloat32(tensor).data[0]) : tensor.data[0];
};

const frombuffer: Builder = ([bytes, type, shape, order]) =>
  new NumpyArray().fill(typeof shape === 'number' ? new PyTuple([shape]) : shape, type, order === 'F', bytes);

export const NUMPY_BUILDERS: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ['numpy.dtype', dtype],
  ...['numpy.core', 'numpy._core'].flatMap((core): [string, Builder][] => [
    [`${core}.multiarray._reconstruct`, () => new NumpyArray()],
    [`${core}.multiarray.scalar`, scalar],
    [`${core}.numeric._frombuffer`, frombuffer],
  ]),
]);
