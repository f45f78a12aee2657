/** Builders for what Python's own library puts into pickles of weights. */

import { StoredBytes } from './input.js';
import type { Builder } from './machine.js';
import { MalformedPickle, type PickleValue, PyFloat, PyGlobal, PyOpaque, PySet, PyTuple } from './values.js';

/** The elements of a list, tuple or set. */
export function itemsOf(value: PickleValue): readonly PickleValue[] {
  if (Array.isArray(value)) return value;
  if (value instanceof PyTuple || value instanceof PySet) return value.items;
  throw new MalformedPickle('holds something else where a sequence is needed');
}

const copyItems: Builder = (args, { copies }) => {
  const items = args.length === 0 ? [] : itemsOf(args[0]);
  copies.spend(items.length);
  return [...items];
};

const set: Builder = (args, call) => new PySet(copyItems(args, call) as PickleValue[]);

/** From nothing, another dict, or a sequence of pairs. */
const dict: Builder = (args, { copies }) => {
  const source = args.length === 0 ? [] : args[0];
  if (source instanceof Map) {
    copies.spend(source.size);
    return new Map(source);
  }
  const pairs = itemsOf(source);
  copies.spend(pairs.length);
  return new Map(
    pairs.map((pair) => {
      const items = itemsOf(pair);
      if (items.length !== 2) throw new MalformedPickle('builds a dict of something else than pairs');
      return [items[0], items[1]];
    }),
  );
};

/** The factory is only a name here; nothing is ever made with it. */
const defaultdict: Builder = ([factory = null, ...rest], call) => {
  const plain = factory === null || (factory instanceof PyGlobal && factory.name.startsWith('builtins.'));
  return plain ? dict(rest, call) : new PyOpaque('collections.defaultdict', [factory, ...rest]);
};

/** Bytes as protocol 2 writes them: a text of which each character is a byte. */
const encode: Builder = ([text, encoding], { copies }) => {
  const latin1 = typeof encoding === 'string' && /^latin-?1$/.test(encoding);
  if (latin1 && text instanceof StoredBytes && text.kind === 'text') return text;
  if (!latin1 || typeof text !== 'string') {
    throw new MalformedPickle('encodes a text in another way than latin1');
  }
  copies.spend(text.length);
  return latin1Bytes(text);
};

export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) throw new MalformedPickle('encodes a text that is not latin1');
    bytes[i] = code;
  }
  return bytes;
}

const bytes: Builder = (args, call) => {
  const [content] = args;
  if (content === undefined) return new Uint8Array(0);
  if (typeof content === 'string') return encode(args, call);
  if (!(content instanceof Uint8Array || content instanceof StoredBytes))
    throw new MalformedPickle('builds bytes of something else');
  return content;
};

const number =
  (make: (value: number) => PickleValue): Builder =>
  ([value = 0]) => {
    const found = value instanceof PyFloat ? value.value : value;
    if (typeof found !== 'number') throw new MalformedPickle('builds a number of something else');
    return make(found);
  };

export const BUILTIN_BUILDERS: ReadonlyMap<string, Builder> = new Map<string, Builder>([
  ['collections.OrderedDict', dict],
  ['collections.Counter', dict],
  ['collections.defaultdict', defaultdict],
  ['_codecs.encode', encode],
  ['builtins.dict', dict],
  ['builtins.list', copyItems],
  ['builtins.tuple', (args, call) => new PyTuple(copyItems(args, call) as PickleValue[])],
  ['builtins.set', set],
  ['builtins.frozenset', set],
  ['builtins.bytes', bytes],
  ['builtins.bytearray', bytes],
  ['builtins.int', number((value) => Math.trunc(value))],
  ['builtins.float', number((value) => new PyFloat(value))],
]);
