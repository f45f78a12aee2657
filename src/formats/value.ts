/**
 * What files of weights hold, as seen from TypeScript: `.pth`, `.pkl`, `.npz`, safetensors.
 *
 * A Python int is a number (a bigint beyond 2^53); a Python float is a `PyFloat`, so that 1.0 and 1 stay apart when a
 * checkpoint is read and written again. Tuples and sets are read as arrays, `torch.Size` too; element types and devices as
 * text, e.g. `torch.float32`, `cuda:0`.
 */

import { type HostTensor, type LazyTensor, loadTensor, type TensorSource } from '../core/array.js';

export type FileValue =
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
  | FileValue[]
  | FileDict
  /** An object that is not read; cannot be written. */
  | PyOpaque;

/** A dict; keeps its order. Keys that are numbers are integers. */
export type FileDict = Map<string | number, FileValue>;

/** A Python float: keeps 1.0 apart from 1. */
export class PyFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  valueOf(): number {
    return this.value;
  }

  toString(): string {
    return Number.isInteger(this.value) ? this.value.toFixed(1) : String(this.value);
  }

  toJSON(): number {
    return this.value;
  }
}

/** An object of a class, or the result of a function, that is not read. Its parts are kept as they stand in the file. */
export class PyOpaque {
  /** The class or function. */
  readonly name: string;
  readonly args: readonly unknown[];
  state: unknown;
  /** What was appended (lists, sets) or assigned (dicts: keys and values in turn). */
  readonly items: unknown[] = [];

  constructor(name: string, args: readonly unknown[] = []) {
    this.name = name;
    this.args = args;
  }

  toString(): string {
    return `<${this.name}>`;
  }
}

/** A number that is written as a Python float, even when it is whole. */
export function float(value: number): PyFloat {
  return new PyFloat(value);
}

/** The number behind an int or float; undefined for anything else, and for integers beyond 2^53. */
export function numberOf(value: FileValue | undefined): number | undefined {
  if (value instanceof PyFloat) return value.value;
  return typeof value === 'number' ? value : undefined;
}

export function isTensor(value: FileValue | undefined): value is TensorSource {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value;
}

/** The same value with every tensor in memory, read one after the other; a tensor that occurs twice is read once. */
export async function loadAll(value: FileValue): Promise<FileValue> {
  const loaded = new Map<TensorSource, HostTensor>();
  async function visit(item: FileValue): Promise<FileValue> {
    if (isTensor(item)) {
      const tensor = loaded.get(item) ?? (await loadTensor(item));
      loaded.set(item, tensor);
      return tensor;
    }
    if (Array.isArray(item)) {
      const items: FileValue[] = [];
      for (const inner of item) items.push(await visit(inner));
      return items;
    }
    if (item instanceof Map) {
      const dict: FileDict = new Map();
      for (const [key, inner] of item) dict.set(key, await visit(inner));
      return dict;
    }
    return item;
  }
  return visit(value);
}
