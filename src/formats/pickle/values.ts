/**
 * What a pickle can hold, as far as JavaScript has no type of its own for it.
 *
 * None, bool, str and list are null, boolean, string and Array; int is a number, or a bigint beyond 2^53; bytes is a
 * Uint8Array; dict is a Map. Everything that has no builder becomes a `PyOpaque`, which remembers what the file says
 * and does nothing.
 */

import { type FileValue, PyFloat, PyOpaque } from '../value.js';

export { PyFloat, PyOpaque };

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PyFloat
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PyTuple
  | PySet
  | PyGlobal
  | PyOpaque
  | PyObject;

export class PyTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** set and frozenset; elements are not compared. */
export class PySet {
  readonly items: PickleValue[];

  constructor(items: PickleValue[]) {
    this.items = items;
  }
}

/** A class or function by name; never looked up anywhere but in a table of builders. */
export class PyGlobal {
  /** `module.name` */
  readonly name: string;

  constructor(module: string, name: string) {
    this.name = `${module}.${name}`;
  }
}

/** Bytes that may still be allocated, so that a small file cannot ask for a large memory. */
export interface Budget {
  /** @throws MalformedPickle when used up */
  spend(bytes: number): void;
}

/** An object that a builder made: a tensor, a storage, a NumPy array. */
export abstract class PyObject {
  /** What the reader of the file receives. */
  abstract reveal(budget: Budget): FileValue;

  /** BUILD: takes over a state. */
  setState(_state: PickleValue): void {
    throw new MalformedPickle('gives a state to an object that has none');
  }
}

/** The pickle is not sound. The reader adds the place. */
export class MalformedPickle extends Error {}

export function budgetOf(limit: number): Budget {
  let left = limit;
  return {
    spend(bytes) {
      left -= bytes;
      if (!(left >= 0)) throw new MalformedPickle('asks for far more memory than its size can justify');
    },
  };
}
