/**
 * The pickle stack machine, protocols 0 to 5: turns bytes into values and executes nothing.
 *
 * A pickle is a programme that may name any Python function. Here a name is looked up in a table of builders that the
 * caller passes; a name that is not in it yields a `PyOpaque`, whatever is done with it later. Stack, memo, text and
 * integers are bounded, and so is what builders may copy, so that the work is linear in the size of the pickle.
 * Opcodes: CPython's Lib/pickletools.py. Extension codes and out-of-band buffers are refused: they refer to things
 * outside the file.
 */

import { UserError } from '../../core/errors.js';
import { damaged } from '../byte-source.js';
import { Cursor } from './cursor.js';
import { type PickleInput, pickleInMemory } from './input.js';
import { OPCODES } from './opcodes.js';
import {
  type Budget,
  budgetOf,
  MalformedPickle,
  type PickleValue,
  PyGlobal,
  PyObject,
  PyOpaque,
  PySet,
} from './values.js';

/** Makes a value out of the arguments of a call. */
export type Builder = (args: readonly PickleValue[], call: BuilderCall) => PickleValue;

export interface BuilderCall {
  /** Every copy that a builder makes is paid for here: one unit per element or byte. */
  readonly copies: Budget;
  /** Calls another builder by its global, as the machine would. */
  reduce(callee: PickleValue, args: readonly PickleValue[]): PickleValue;
}

export interface PickleOptions {
  /** The file, for messages. */
  readonly where: string;
  /** By `module.name`. */
  readonly builders: ReadonlyMap<string, Builder>;
  /** Resolves a persistent id; without it, persistent ids are refused. */
  readonly persistent?: (id: PickleValue) => PickleValue;
  /** Refuse what is not in the table instead of keeping it as `PyOpaque`. */
  readonly strict?: boolean;
}

export interface PickleResult {
  readonly value: PickleValue;
  /** Position after STOP. */
  readonly end: number;
  /** Names of what was not read. */
  readonly opaque: ReadonlySet<string>;
}

const DEEPEST_STACK = 100_000;
const LARGEST_MEMO = 1_000_000;
/** Honest pickles copy each byte once, and have a handful of arguments per call of at least five bytes. */
const COPIES_PER_BYTE = 8;

/** @throws UserError when the pickle is not sound, or holds unknown objects and `strict` is set */
export function readPickle(
  pickle: Uint8Array | PickleInput,
  options: PickleOptions,
  start = 0,
): PickleResult {
  const machine = new Machine(pickle instanceof Uint8Array ? pickleInMemory(pickle) : pickle, options, start);
  try {
    return machine.run();
  } catch (error) {
    if (!(error instanceof MalformedPickle)) throw error;
    throw damaged(options.where, `pickle ${error.message} (at byte ${machine.position})`);
  }
}

export class Machine implements BuilderCall {
  readonly copies: Budget;
  readonly cursor: Cursor;
  readonly #options: PickleOptions;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack at which MARK was met. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #opaque = new Set<string>();

  constructor(input: PickleInput, options: PickleOptions, start: number) {
    this.cursor = new Cursor(input, start);
    this.#options = options;
    this.copies = budgetOf(COPIES_PER_BYTE * input.size);
  }

  get position(): number {
    return this.cursor.position;
  }

  run(): PickleResult {
    for (;;) {
      const code = this.cursor.byte();
      if (code === 0x2e) break;
      const action = OPCODES.get(code);
      if (action === undefined) throw unsupported(code);
      action(this);
      const height = this.#stack.length + this.#marks.length;
      if (height > DEEPEST_STACK) throw new MalformedPickle('needs a huge stack');
    }
    const value = this.pop();
    return { value, end: this.position, opaque: this.#opaque };
  }

  reduce(callee: PickleValue, args: readonly PickleValue[]): PickleValue {
    if (!(callee instanceof PyGlobal || callee instanceof PyOpaque)) {
      throw new MalformedPickle('calls something that is neither class nor function');
    }
    this.copies.spend(args.length);
    const builder = callee instanceof PyGlobal ? this.#options.builders.get(callee.name) : undefined;
    return this.#noted(builder === undefined ? new PyOpaque(callee.name, args) : builder(args, this));
  }

  #noted(value: PickleValue): PickleValue {
    if (!(value instanceof PyOpaque)) return value;
    if (this.#options.strict === true) {
      throw new UserError('holds an object that is not weights', {
        where: this.#options.where,
        key: value.name,
        remedy: 'read it without strict to skip such objects, or save only state dicts',
      });
    }
    this.#opaque.add(value.name);
    return value;
  }

  /** How many values were remembered so far: the index that MEMOIZE uses. */
  get remembered(): number {
    return this.#memo.size;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** Values below the last MARK belong to someone else. */
  get #floor(): number {
    return this.#marks.length === 0 ? 0 : this.#marks[this.#marks.length - 1];
  }

  popMany(count: number): PickleValue[] {
    if (this.#stack.length - count < this.#floor)
      throw new MalformedPickle('takes more from the stack than it holds');
    return this.#stack.splice(this.#stack.length - count, count);
  }

  pop(): PickleValue {
    return this.popMany(1)[0];
  }

  popMarked(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new MalformedPickle('lacks a mark');
    return this.#stack.splice(mark);
  }

  top(): PickleValue {
    if (this.#stack.length <= this.#floor)
      throw new MalformedPickle('takes more from the stack than it holds');
    return this.#stack[this.#stack.length - 1];
  }

  /** POP on a mark removes the mark. */
  discard(): void {
    if (this.#marks.length > 0 && this.#stack.length === this.#floor) this.#marks.pop();
    else this.pop();
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
    if (this.#memo.size > LARGEST_MEMO) throw new MalformedPickle('remembers too many values');
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw new MalformedPickle(`refers to value ${index}, which was not remembered`);
    this.push(value);
  }

  append(items: readonly PickleValue[]): void {
    const target = this.top();
    const list = Array.isArray(target)
      ? target
      : target instanceof PySet || target instanceof PyOpaque
        ? target.items
        : undefined;
    if (list === undefined) throw new MalformedPickle('appends to something that is no list');
    for (const item of items) list.push(item);
  }

  assign(items: readonly PickleValue[]): void {
    if (items.length % 2 !== 0) throw new MalformedPickle('assigns a key without a value');
    const target = this.top();
    if (target instanceof PyOpaque) {
      for (const item of items) target.items.push(item);
      return;
    }
    if (!(target instanceof Map)) throw new MalformedPickle('assigns to something that is no dict');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  build(state: PickleValue): void {
    const target = this.top();
    if (target instanceof PyOpaque) target.state = state;
    else if (target instanceof PyObject) target.setState(state);
    // Attributes of an OrderedDict: the `_metadata` of a module's state dict, which no reader of weights needs.
    else if (!(target instanceof Map)) throw new MalformedPickle('gives a state to a value that has none');
  }

  resolve(id: PickleValue): PickleValue {
    if (this.#options.persistent === undefined) throw new MalformedPickle('refers to data outside of it');
    return this.#noted(this.#options.persistent(id));
  }
}

function unsupported(code: number): MalformedPickle {
  const hex = code.toString(16).padStart(2, '0');
  return new MalformedPickle(`uses opcode 0x${hex}, which is not supported`);
}
