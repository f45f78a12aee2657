/**
 * From what stands in a pickle to what a reader of a checkpoint works with.
 *
 * Tuples and sets become arrays, names and unknown objects `PyOpaque`, dicts with keys other than text and integers too.
 * What the file shares stays shared. A value that contains itself is refused, as is nesting beyond any checkpoint's, and
 * sharing that would make whoever walks the result walk for ever.
 */

import type { FileValue } from '../value.js';
import {
  type Budget,
  MalformedPickle,
  type PickleValue,
  PyGlobal,
  PyObject,
  PyOpaque,
  PySet,
  PyTuple,
} from './values.js';

const DEEPEST = 200;
/** Values that a walk over the result meets, shared ones counted each time. */
const MOST_VALUES = 10_000_000;

interface Revealed {
  readonly value: FileValue;
  readonly count: number;
}

/** @param budget pays for arrays that have to be copied @throws MalformedPickle */
export function reveal(root: PickleValue, budget: Budget): FileValue {
  const done = new Map<PickleValue, Revealed>();
  const open = new Set<PickleValue>();

  function visit(source: PickleValue, depth: number): Revealed {
    if (!isComposite(source)) return { value: leaf(source), count: 1 };
    const known = done.get(source);
    if (known !== undefined) return known;
    if (open.has(source)) throw new MalformedPickle('holds a value that contains itself');
    if (depth > DEEPEST) throw new MalformedPickle(`nests values more than ${DEEPEST} deep`);
    open.add(source);
    const result =
      source instanceof PyObject ? { value: source.reveal(budget), count: 1 } : container(source, depth);
    open.delete(source);
    if (result.count > MOST_VALUES) throw new MalformedPickle('repeats values without end');
    done.set(source, result);
    return result;
  }

  function container(source: Container, depth: number): Revealed {
    let count = 1;
    const inner = (item: PickleValue) => {
      const revealed = visit(item, depth + 1);
      count += revealed.count;
      return revealed.value;
    };
    if (!(source instanceof Map)) {
      const items = Array.isArray(source) ? source : source.items;
      const value = items.map(inner);
      return { value, count };
    }
    const value = new Map<string | number, FileValue>();
    for (const [key, item] of source) {
      if (typeof key !== 'string' && typeof key !== 'number') {
        return { value: new PyOpaque('dict with keys that are neither str nor int', [source]), count: 1 };
      }
      value.set(key, inner(item));
    }
    return { value, count };
  }

  return visit(root, 0).value;
}

type Container = PickleValue[] | Map<PickleValue, PickleValue> | PyTuple | PySet;

function isComposite(value: PickleValue): value is Container | PyObject {
  return (
    Array.isArray(value) ||
    value instanceof Map ||
    value instanceof PyTuple ||
    value instanceof PySet ||
    value instanceof PyObject
  );
}

function leaf(value: Exclude<PickleValue, Container | PyObject>): FileValue {
  if (!(value instanceof PyGlobal)) return value;
  // Element types are names; they read best as such.
  return value.name.startsWith('torch.') ? value.name : new PyOpaque(value.name);
}
