/**
 * What a `.pth` file holds, as seen from TypeScript.
 *
 * A Python int is a number (a bigint beyond 2^53); a Python float is a `PyFloat`, so that 1.0 and 1 stay apart when a
 * checkpoint is read and written again. Tuples and sets are read as arrays, `torch.Size` too; element types and devices as
 * text, e.g. `torch.float32`, `cuda:0`.
 */

import { type HostTensor, type LazyTensor, loadTensor, type TensorSource } from '../../core/array.js';
import { PyFloat, PyOpaque } from '../pickle/values.js';

export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyFloat
  /** Python bytes. */
  | Uint8Array
  | HostTensor
  | LazyTensor
  | TorchValue[]
  | TorchDict
  /** An object that is not read; cannot be written. */
  | PyOpaque;

/** A dict; keeps its order. Keys that are numbers are integers. */
export type TorchDict = Map<string | number, TorchValue>;

export { PyFloat, PyOpaque };

/** A number that is written as a Python float, even when it is whole. */
export function float(value: number): PyFloat {
  return new PyFloat(value);
}

/** The number behind an int or float; undefined for anything else, and for integers beyond 2^53. */
export function numberOf(value: TorchValue | undefined): number | undefined {
  if (value instanceof PyFloat) return value.value;
  return typeof value === 'number' ? value : undefined;
}

export function isTensor(value: TorchValue | undefined): value is TensorSource {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value;
}

/** The same value with every tensor in memory, read one after the other; a tensor that occurs twice is read once. */
export async function loadAll(value: TorchValue): Promise<TorchValue> {
  const loaded = new Map<TensorSource, HostTensor>();
  async function visit(item: TorchValue): Promise<TorchValue> {
    if (isTensor(item)) {
      const tensor = loaded.get(item) ?? (await loadTensor(item));
      loaded.set(item, tensor);
      return tensor;
    }
    if (Array.isArray(item)) {
      const items: TorchValue[] = [];
      for (const inner of item) items.push(await visit(inner));
      return items;
    }
    if (item instanceof Map) {
      const dict: TorchDict = new Map();
      for (const [key, inner] of item) dict.set(key, await visit(inner));
      return dict;
    }
    return item;
  }
  return visit(value);
}
