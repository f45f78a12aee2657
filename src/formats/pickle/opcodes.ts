/**
 * What each pickle opcode does to the machine, protocols 0 to 5, grouped as in CPython's Lib/pickletools.py.
 *
 * Missing on purpose: extension codes (EXT1, EXT2, EXT4) and out-of-band buffers (NEXT_BUFFER, READONLY_BUFFER). STOP is
 * the machine's own.
 */

import { type Cursor, decodeLatin1, decodeUtf8 } from './cursor.js';
import type { Machine } from './machine.js';
import { unescapeUnicode, unquote } from './text.js';
import { MalformedPickle, type PickleValue, PyFloat, PyGlobal, PySet, PyTuple } from './values.js';

/** Python writes at most 24 characters. */
const LONGEST_FLOAT = 100;

type Action = (machine: Machine) => void;

/** Pushes what is made of the opcode's argument. */
const push =
  (make: (cursor: Cursor) => PickleValue): Action =>
  (machine) =>
    machine.push(make(machine.cursor));

const call: Action = (machine) => {
  const [callee, args] = machine.popMany(2);
  machine.push(machine.reduce(callee, tupleItems(args)));
};

const appendMarked: Action = (machine) => machine.append(machine.popMarked());

const CONSTANTS: [string, Action][] = [
  ['N', push(() => null)],
  ['\x88', push(() => true)],
  ['\x89', push(() => false)],
  ['J', push((cursor) => cursor.int32())],
  ['K', push((cursor) => cursor.byte())],
  ['M', push((cursor) => cursor.uint16())],
  ['\x8a', push((cursor) => cursor.integer(cursor.byte()))],
  ['\x8b', push((cursor) => cursor.integer(cursor.uint32()))],
  ['I', push(shortInteger)],
  ['L', push((cursor) => cursor.decimal())],
  ['G', push((cursor) => new PyFloat(cursor.float64()))],
  ['F', push(decimalFloat)],
  ['X', push((cursor) => unicode(cursor, cursor.uint32()))],
  ['\x8c', push((cursor) => cursor.utf8(cursor.byte()))],
  ['\x8d', push((cursor) => unicode(cursor, cursor.length64()))],
  ['V', push((cursor) => unescapeUnicode(cursor.line(decodeLatin1)))],
  ['S', push((cursor) => unquote(cursor.line()))],
  ['U', push((cursor) => cursor.latin1(cursor.byte()))],
  ['T', push((cursor) => python2String(cursor, cursor.uint32()))],
  ['C', push((cursor) => cursor.take(cursor.byte()))],
  ['B', push((cursor) => cursor.payload(cursor.uint32(), 'bytes'))],
  ['\x8e', push((cursor) => cursor.payload(cursor.length64(), 'bytes'))],
  ['\x96', push((cursor) => cursor.payload(cursor.length64(), 'bytes'))],
];

const CONTAINERS: [string, Action][] = [
  ['(', (machine) => machine.mark()],
  [')', push(() => new PyTuple([]))],
  ['\x85', (machine) => machine.push(new PyTuple(machine.popMany(1)))],
  ['\x86', (machine) => machine.push(new PyTuple(machine.popMany(2)))],
  ['\x87', (machine) => machine.push(new PyTuple(machine.popMany(3)))],
  ['t', (machine) => machine.push(new PyTuple(machine.popMarked()))],
  [']', push(() => [])],
  ['l', (machine) => machine.push(machine.popMarked())],
  ['}', push(() => new Map())],
  [
    'd',
    (machine) => {
      const items = machine.popMarked();
      machine.push(new Map());
      machine.assign(items);
    },
  ],
  ['\x8f', push(() => new PySet([]))],
  ['\x91', (machine) => machine.push(new PySet(machine.popMarked()))],
  ['a', (machine) => machine.append(machine.popMany(1))],
  ['e', appendMarked],
  ['\x90', appendMarked],
  ['s', (machine) => machine.assign(machine.popMany(2))],
  ['u', (machine) => machine.assign(machine.popMarked())],
];

const STACK_AND_MEMO: [string, Action][] = [
  ['0', (machine) => machine.discard()],
  ['1', (machine) => void machine.popMarked()],
  ['2', (machine) => machine.push(machine.top())],
  ['p', (machine) => machine.remember(memoIndex(machine.cursor))],
  ['q', (machine) => machine.remember(machine.cursor.byte())],
  ['r', (machine) => machine.remember(machine.cursor.uint32())],
  ['\x94', (machine) => machine.remember(machine.remembered)],
  ['g', (machine) => machine.recall(memoIndex(machine.cursor))],
  ['h', (machine) => machine.recall(machine.cursor.byte())],
  ['j', (machine) => machine.recall(machine.cursor.uint32())],
];

const NAMES_AND_CALLS: [string, Action][] = [
  ['c', push((cursor) => globalOf(cursor.line(), cursor.line()))],
  [
    '\x93',
    (machine) => {
      const [module, name] = machine.popMany(2);
      machine.push(globalOf(module, name));
    },
  ],
  ['R', call],
  ['\x81', call],
  [
    '\x92',
    (machine) => {
      const [callee, args, named] = machine.popMany(3);
      const items = tupleItems(args);
      machine.copies.spend(items.length);
      machine.push(machine.reduce(callee, [...items, named]));
    },
  ],
  [
    'i',
    (machine) => {
      const callee = globalOf(machine.cursor.line(), machine.cursor.line());
      machine.push(machine.reduce(callee, machine.popMarked()));
    },
  ],
  [
    'o',
    (machine) => {
      const [callee, ...args] = machine.popMarked();
      if (callee === undefined) throw new MalformedPickle('builds an object without a class');
      machine.push(machine.reduce(callee, args));
    },
  ],
  ['b', (machine) => machine.build(machine.pop())],
  ['P', (machine) => machine.push(machine.resolve(machine.cursor.line()))],
  ['Q', (machine) => machine.push(machine.resolve(machine.pop()))],
];

const FRAMING: [string, Action][] = [
  [
    '\x80',
    ({ cursor }) => {
      const protocol = cursor.byte();
      if (protocol > 5) throw new MalformedPickle(`is of protocol ${protocol}; 5 is the last one known`);
    },
  ],
  ['\x95', ({ cursor }) => void cursor.length64()],
];

export const OPCODES: ReadonlyMap<number, Action> = new Map(
  [...CONSTANTS, ...CONTAINERS, ...STACK_AND_MEMO, ...NAMES_AND_CALLS, ...FRAMING].map(([code, action]) => [
    code.charCodeAt(0),
    action,
  ]),
);

function globalOf(module: PickleValue, name: PickleValue): PyGlobal {
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw new MalformedPickle('holds a name that is no text');
  }
  // Python 2's names of the same modules.
  return new PyGlobal(
    module === '__builtin__' ? 'builtins' : module === 'copy_reg' ? 'copyreg' : module,
    name,
  );
}

function tupleItems(value: PickleValue): readonly PickleValue[] {
  if (!(value instanceof PyTuple)) throw new MalformedPickle('calls with something that is no tuple');
  return value.items;
}

/** A text, or what `_codecs.encode` will make bytes of. */
function unicode(cursor: Cursor, length: number): PickleValue {
  const payload = cursor.payload(length, 'text');
  return payload instanceof Uint8Array ? decodeUtf8(payload) : payload;
}

/** A `str` of Python 2 is bytes. */
function python2String(cursor: Cursor, length: number): PickleValue {
  const payload = cursor.payload(length, 'bytes');
  return payload instanceof Uint8Array ? decodeLatin1(payload) : payload;
}

/** Protocol 0 writes booleans as the integers 00 and 01. */
function shortInteger(cursor: Cursor): PickleValue {
  const start = cursor.position;
  const text = cursor.line();
  if (text === '00' || text === '01') return text === '01';
  cursor.position = start;
  return cursor.decimal();
}

function decimalFloat(cursor: Cursor): PyFloat {
  const text = cursor.line().trim();
  const special = new Map([
    ['inf', Number.POSITIVE_INFINITY],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
  ]).get(text);
  if (special !== undefined) return new PyFloat(special);
  // The length first: the expression takes quadratic time over endless digits.
  if (text.length > LONGEST_FLOAT || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw new MalformedPickle('holds a float that cannot be read');
  }
  return new PyFloat(Number(text));
}

function memoIndex(cursor: Cursor): number {
  const index = cursor.decimal();
  if (typeof index !== 'number' || index < 0) throw new MalformedPickle('holds an absurd memo index');
  return index;
}
