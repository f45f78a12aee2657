/**
 * Host tensors: an element type, a shape, and a typed array in row-major order.
 *
 * What travels between files, the engine and host code. float16 and bfloat16 have no typed array of their own and are
 * kept as their bits in a `Uint16Array`; bool is 0 or 1 in a `Uint8Array`; int64 is a `BigInt64Array`. Bytes are in the
 * order of the machine. Elements are moved as integers, never as numbers, so the bits of a NaN survive.
 */

export interface ArrayOfDType {
  float64: Float64Array;
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int16: Int16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export type DType = keyof ArrayOfDType;

/** A tensor of one known element type. */
export interface TensorOf<D extends DType> {
  readonly dtype: D;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** Row-major, as many elements as the product of the shape. */
  readonly data: ArrayOfDType[D];
}

/** A tensor in memory; `dtype` tells which typed array `data` is. */
export type HostTensor = { [D in DType]: TensorOf<D> }[DType];

/** A tensor whose elements are read, or computed, when they are asked for. */
export interface LazyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  load(): Promise<HostTensor>;
}

export type TensorSource = HostTensor | LazyTensor;

const ARRAYS = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

export const DTYPES = Object.keys(ARRAYS) as DType[];

/** Bytes per element. */
export function elementSize(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Product of the sides; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Strides in elements of a row-major tensor; sides of 0 count as 1, as in PyTorch. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= Math.max(shape[axis], 1);
  }
  return strides;
}

/**
 * A tensor of the given elements, not copied.
 *
 * @throws RangeError when the array is of the wrong kind or length, or a side is no natural number
 */
export function hostTensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: ArrayOfDType[D],
): TensorOf<D> {
  if (!shape.every((side) => Number.isSafeInteger(side) && side >= 0)) {
    throw new RangeError(`tensor: shape [${shape}] must hold natural numbers`);
  }
  if (!(data instanceof ARRAYS[dtype])) {
    throw new RangeError(`tensor: ${dtype} needs a ${ARRAYS[dtype].name}`);
  }
  if (data.length !== elementCount(shape)) {
    throw new RangeError(
      `tensor: shape [${shape}] needs ${elementCount(shape)} elements, but ${data.length} were given`,
    );
  }
  return { dtype, shape, data };
}

/** The tensor's bytes, in the order of the machine; shares memory with it. */
export function bytesOf(tensor: HostTensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A tensor over bytes in the order of the machine; copied only when they do not start at a multiple of the element size. */
export function tensorFromBytes(
  dtype: DType,
  shape: readonly number[],
  bytes: Uint8Array<ArrayBuffer>,
): HostTensor {
  const size = elementSize(dtype);
  if (bytes.length !== elementCount(shape) * size) {
    throw new RangeError(
      `tensor: ${dtype} of shape [${shape}] needs ${elementCount(shape) * size} bytes, not ${bytes.length}`,
    );
  }
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const data = new ARRAYS[dtype](buffer, byteOffset, bytes.length / size);
  return { dtype, shape, data } as HostTensor;
}

/**
 * The elements of a tensor, read now if they are not in memory yet.
 *
 * @throws Error when they are of another type, shape or number than was announced
 */
export async function loadTensor(source: TensorSource): Promise<HostTensor> {
  const tensor = 'data' in source ? source : await source.load();
  if (tensor.dtype !== source.dtype || String(tensor.shape) !== String(source.shape)) {
    throw new Error(`tensor announced as ${describe(source)} turned out to be ${describe(tensor)}`);
  }
  if (tensor.data.length !== elementCount(tensor.shape)) {
    throw new Error(`tensor ${describe(tensor)} has ${tensor.data.length} elements`);
  }
  return tensor;
}

function describe({ dtype, shape }: TensorSource): string {
  return `${dtype} [${shape}]`;
}

/**
 * Copies a strided view into row-major order.
 *
 * @param bytes elements of `size` bytes each, in memory aligned to `size`
 * @param strides in elements, one per axis
 * @param offset of the first element, in elements
 * @returns the bytes of the view, freshly allocated
 */
export function gatherStrided(
  bytes: Uint8Array,
  size: number,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Uint8Array<ArrayBuffer> {
  if (size === 8) {
    // Two words per element: one more axis, and no detour over bigint or over numbers, which would touch NaNs.
    const doubled = strides.map((stride) => 2 * stride);
    return gatherStrided(bytes, 4, [...shape, 2], [...doubled, 1], 2 * offset);
  }
  const target = new Uint8Array(elementCount(shape) * size);
  const source = unsignedWords(bytes, size);
  const result = unsignedWords(target, size);
  const axes = mergeAxes(shape, strides);
  const inner = axes.pop() ?? { side: 1, stride: 0 };
  const index = axes.map(() => 0);
  let from = offset;
  for (let to = 0; to < result.length; ) {
    for (let i = 0, at = from; i < inner.side; i++, at += inner.stride) result[to++] = source[at];
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const { side, stride } = axes[axis];
      from += stride;
      if (++index[axis] < side) break;
      from -= side * stride;
      index[axis] = 0;
    }
  }
  return target;
}

function unsignedWords(bytes: Uint8Array, size: number): Uint32Array | Uint16Array | Uint8Array {
  const Words = size === 4 ? Uint32Array : size === 2 ? Uint16Array : Uint8Array;
  return new Words(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / size);
}

/** The same view with as few axes as possible: long inner loops are fast. */
function mergeAxes(shape: readonly number[], strides: readonly number[]): { side: number; stride: number }[] {
  const axes: { side: number; stride: number }[] = [];
  shape.forEach((side, axis) => {
    if (side === 1) return;
    const stride = strides[axis];
    const outer = axes.at(-1);
    if (outer !== undefined && outer.stride === stride * side)
      axes.splice(-1, 1, { side: outer.side * side, stride });
    else axes.push({ side, stride });
  });
  return axes;
}

/** The bits of the float32 with the value of these float16 bits; exact, subnormals and NaNs included. */
function widenHalf(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

/** float32 bits to the nearest float16, ties to even; from 65520 on infinity. */
function narrowToHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded >>> 13) - (112 << 10));
  }
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const kept = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept);
}

/** float32 bits to the nearest bfloat16, ties to even. */
function narrowToBfloat(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The same values as float32: exact for float16 and bfloat16, rounded otherwise. A float32 tensor is returned as it is. */
export function toFloat32(tensor: HostTensor): TensorOf<'float32'> {
  const { dtype, shape, data } = tensor;
  if (dtype === 'float32') return tensor;
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const bits = new Uint32Array(data.length);
    for (let i = 0; i < bits.length; i++) bits[i] = dtype === 'float16' ? widenHalf(data[i]) : data[i] << 16;
    return { dtype: 'float32', shape, data: new Float32Array(bits.buffer) };
  }
  const values = dtype === 'int64' ? Float32Array.from(data, Number) : new Float32Array(data);
  return { dtype: 'float32', shape, data: values };
}

/** float32 values in another floating type: rounded to nearest, ties to even. A float32 result shares memory. */
export function fromFloat32(
  tensor: TensorOf<'float32'>,
  dtype: 'float64' | 'float32' | 'float16' | 'bfloat16',
): HostTensor {
  const { shape, data } = tensor;
  if (dtype === 'float32') return tensor;
  if (dtype === 'float64') return { dtype, shape, data: new Float64Array(data) };
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const narrow = dtype === 'float16' ? narrowToHalf : narrowToBfloat;
  return { dtype, shape, data: Uint16Array.from(bits, narrow) };
}

/** Some rows of a matrix. @param values [n, width]  @param rows [m] positions  @returns [m, width] */
export function takeRows(values: Float32Array, rows: ArrayLike<number>, width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  for (let r = 0; r < rows.length; r++) {
    const from = rows[r] * width;
    for (let i = 0; i < width; i++) out[r * width + i] = values[from + i];
  }
  return out;
}

/** Arrays one after the other. */
export function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
