/**
 * Storages and the tensors that look into them.
 *
 * A storage is a run of elements in the file. A tensor is an offset, sizes and strides into one; several tensors may share
 * a storage. Everything is checked when the tensor is met in the pickle; bytes are read when it is loaded.
 */

import {
  type DType,
  elementCount,
  elementSize,
  gatherStrided,
  type HostTensor,
  type LazyTensor,
  rowMajorStrides,
  tensorFromBytes,
} from '../../core/array.js';
import { swapBytes } from '../byte-order.js';
import { type Budget, MalformedPickle, PyObject } from '../pickle/values.js';

/** The name of the storage class without its `Storage`. */
export const STORAGE_CLASS: Record<DType, string> = {
  float64: 'Double',
  float32: 'Float',
  float16: 'Half',
  bfloat16: 'BFloat16',
  int64: 'Long',
  int32: 'Int',
  int16: 'Short',
  int8: 'Char',
  uint8: 'Byte',
  bool: 'Bool',
};

const DTYPE_OF_STORAGE = new Map(
  Object.entries(STORAGE_CLASS).map(([dtype, name]) => [name, dtype as DType]),
);

/** @param name a storage class such as `torch.FloatStorage`; `torch.cuda.` occurs in old files */
export function storageDtype(name: string): DType | undefined {
  const match = /^torch\.(?:cuda\.)?(\w+)Storage$/.exec(name);
  return match === null ? undefined : DTYPE_OF_STORAGE.get(match[1]);
}

/** Where the bytes of a storage are. */
export interface StorageBytes {
  /** Reads from the start of the storage. */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The bytes of each element have to be reversed. */
  readonly swapped: boolean;
}

const NO_BYTES: StorageBytes = {
  read: () => Promise.reject(new Error('the storage was never found in the file')),
  swapped: false,
};

export class Storage extends PyObject {
  readonly key: string;
  /** Of the elements; undefined for `UntypedStorage`, whose tensors say it themselves. */
  readonly dtype: DType | undefined;
  /** Elements; bytes for an untyped storage. */
  readonly count: number;
  /** Elements before the first one: views of storages in very old files. */
  readonly base: number;
  /** Filled in when the bytes have been found. */
  place: { bytes: StorageBytes };

  constructor(
    key: string,
    dtype: DType | undefined,
    count: number,
    base = 0,
    place: { bytes: StorageBytes } = { bytes: NO_BYTES },
  ) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.count = count;
    this.base = base;
    this.place = place;
  }

  get byteLength(): number {
    return this.count * elementSize(this.dtype ?? 'uint8');
  }

  reveal(budget: Budget): LazyTensor {
    return new StoredTensor(this, this.dtype ?? 'uint8', 0, [this.count], [1], budget);
  }
}

export class StoredTensor extends PyObject implements LazyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly #storage: Storage;
  readonly #offset: number;
  readonly #strides: readonly number[];
  /** From the first to the last element that the tensor touches. */
  readonly #span: number;

  /**
   * @param offset in elements, like `strides`
   * @param budget pays for the tensor's bytes; expanded tensors (stride 0) may be larger than their storage
   * @throws MalformedPickle when it reaches outside the storage
   */
  constructor(
    storage: Storage,
    dtype: DType,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
    budget: Budget,
  ) {
    super();
    const whole = [offset, ...shape, ...strides].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (!whole || shape.length !== strides.length) {
      throw new MalformedPickle(`holds a tensor of shape [${shape}], strides [${strides}], offset ${offset}`);
    }
    const count = elementCount(shape);
    const span = count === 0 ? 0 : shape.reduce((sum, side, axis) => sum + (side - 1) * strides[axis], 1);
    const room = Math.floor(storage.byteLength / elementSize(dtype));
    if (!(offset + span <= room)) {
      throw new MalformedPickle(
        `holds a tensor that reaches ${offset + span} elements into a storage of ${room}`,
      );
    }
    budget.spend(count * elementSize(dtype));
    this.dtype = dtype;
    this.shape = shape;
    this.#storage = storage;
    this.#offset = offset;
    this.#strides = strides;
    this.#span = span;
  }

  reveal(): LazyTensor {
    return this;
  }

  /** Whether both look in the same way at the same elements of one file. */
  sharesWith(other: StoredTensor): boolean {
    const [a, b] = [this.#storage, other.#storage];
    return (
      a.key === b.key &&
      a.base + this.#offset === b.base + other.#offset &&
      this.dtype === other.dtype &&
      String(this.shape) === String(other.shape) &&
      String(this.#strides) === String(other.#strides)
    );
  }

  /** @throws UserError when the bytes cannot be read or their checksum is wrong */
  async load(): Promise<HostTensor> {
    const { dtype, shape } = this;
    const size = elementSize(dtype);
    const { bytes } = this.#storage.place;
    const start = (this.#storage.base + this.#offset) * size;
    const found = await bytes.read(start, this.#span * size);
    if (bytes.swapped) swapBytes(found, size);
    const contiguous = rowMajorStrides(shape).every(
      (stride, axis) => shape[axis] === 1 || stride === this.#strides[axis],
    );
    return tensorFromBytes(
      dtype,
      shape,
      contiguous || this.#span === 0 ? found : gatherStrided(found, size, shape, this.#strides),
    );
  }
}
