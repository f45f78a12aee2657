/**
 * Tensors in TensorFlow's memory. They are made to be fed and are read once after being fetched; nothing else here
 * owns native memory for long.
 */

import type { Pointer } from './capi.js';
import {
  createElements,
  type ElementArray,
  type ElementType,
  elementBytes,
  elementCount,
  elementType,
  typeCode,
} from './dtype.js';
import type { Library } from './library.js';

let live = 0;

/** Number of native tensors that were made or fetched here and not yet deleted: the leak test bounds it. */
export function liveTensors(): number {
  return live;
}

/**
 * Copies host data into a new native tensor.
 *
 * @param data row-major, exactly as many elements as `shape` says
 * @throws Error when the number of elements differs
 */
export function createTensor(
  library: Library,
  type: ElementType,
  shape: readonly number[],
  data: ElementArray,
): Pointer {
  const count = elementCount(shape);
  if (data.length !== count) {
    throw new Error(`a tensor of shape [${shape.join(', ')}] has ${count} elements, not ${data.length}`);
  }
  const bytes = count * elementBytes(type);
  if (data.byteLength !== bytes) {
    throw new Error(`${type} data expected, got ${data.constructor.name}`);
  }
  const { c } = library;
  const dims = shape.length === 0 ? null : BigInt64Array.from(shape, BigInt);
  const tensor: Pointer | null = c.TF_AllocateTensor(typeCode(type), dims, shape.length, bytes);
  if (tensor === null) throw new Error(`TensorFlow could not allocate ${bytes} bytes`);
  live++;
  library.copy(c.TF_TensorData(tensor), data, bytes);
  return tensor;
}

/** Takes over a fetched tensor so that it is counted until it is deleted. */
export function adoptTensor(): void {
  live++;
}

export function deleteTensor(library: Library, tensor: Pointer): void {
  library.c.TF_DeleteTensor(tensor);
  live--;
}

/** Copies a native tensor to the host. */
export function readTensor(library: Library, tensor: Pointer): ElementArray {
  const { c } = library;
  const type = elementType(c.TF_TensorType(tensor));
  const bytes = Number(c.TF_TensorByteSize(tensor));
  const data = createElements(type, bytes / elementBytes(type));
  library.copy(data, c.TF_TensorData(tensor), bytes);
  return data;
}

export function tensorShape(library: Library, tensor: Pointer): number[] {
  const { c } = library;
  const rank: number = c.TF_NumDims(tensor);
  return Array.from({ length: rank }, (_, axis) => Number(c.TF_Dim(tensor, axis)));
}
