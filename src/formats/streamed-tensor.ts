/** Tensors on their way into a file: in memory, lazy, or arriving in pieces because they are larger than memory. */

import {
  bytesOf,
  type DType,
  elementCount,
  elementSize,
  loadTensor,
  type TensorSource,
} from '../core/array.js';
import { HOST_IS_LITTLE_ENDIAN, swapBytes } from './byte-order.js';

/** A tensor that is made while it is written. Shape and type are known before. */
export interface StreamedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Its bytes, row-major, in the order of the machine; whole elements in each piece. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

export type WritableTensor = TensorSource | StreamedTensor;

export function byteLength({ dtype, shape }: Pick<WritableTensor, 'dtype' | 'shape'>): number {
  return elementCount(shape) * elementSize(dtype);
}

/**
 * The bytes of a tensor in little-endian order, as files have them.
 *
 * @throws Error when they are more or fewer than the shape says
 */
export async function* littleEndianPieces(tensor: WritableTensor): AsyncGenerator<Uint8Array> {
  const pieces = 'pieces' in tensor ? tensor.pieces : [bytesOf(await loadTensor(tensor))];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    yield HOST_IS_LITTLE_ENDIAN ? piece : swapped(piece, elementSize(tensor.dtype));
  }
  const expected = byteLength(tensor);
  if (length !== expected) {
    throw new Error(`tensor ${tensor.dtype} [${tensor.shape}] gave ${length} bytes instead of ${expected}`);
  }
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  swapBytes(copy, size);
  return copy;
}
