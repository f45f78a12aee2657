/**
 * The kinds of values that a configuration can hold, and the check of one value.
 *
 * A leaf is a description: kind, default, range, text. The TypeScript type of a value is the type of its default, so
 * the schema is written once. Nothing here knows where a value came from.
 */

import { unreachable } from '../core/errors.js';

export type LeafKind =
  | 'boolean'
  | 'integer'
  | 'number'
  | 'string'
  | 'choice'
  | 'pair'
  | 'integers'
  | 'numbers'
  | 'texts';

/** `min` and `max` belong to the range, `above` and `below` do not. */
export interface Range {
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
  readonly below?: number;
}

export interface Leaf<T = unknown> {
  readonly kind: LeafKind;
  readonly default: T;
  /** One line, with the unit. */
  readonly description: string;
  readonly nullable: boolean;
  /** Of a number, or of each number of a list. */
  readonly range: Range;
  /** Of a choice; empty otherwise. */
  readonly choices: readonly string[];
}

/** Lowest and highest value. */
export type Pair = readonly [low: number, high: number];

function leaf<T>(kind: LeafKind, value: T, description: string, more: Partial<Leaf<T>> = {}): Leaf<T> {
  return { kind, default: value, description, nullable: false, range: {}, choices: [], ...more };
}

export const boolean = (value: boolean, description: string): Leaf<boolean> =>
  leaf('boolean', value, description);

export const integer = (value: number, range: Range, description: string): Leaf<number> =>
  leaf('integer', value, description, { range });

export const number = (value: number, range: Range, description: string): Leaf<number> =>
  leaf('number', value, description, { range });

export const string = (value: string, description: string): Leaf<string> =>
  leaf('string', value, description);

export const choice = <T extends string>(value: T, choices: readonly T[], description: string): Leaf<T> =>
  leaf('choice', value, description, { choices });

export const pair = (value: Pair, range: Range, description: string): Leaf<Pair> =>
  leaf('pair', value, description, { range });

export const integers = (
  value: readonly number[],
  range: Range,
  description: string,
): Leaf<readonly number[]> => leaf('integers', value, description, { range });

export const numbers = (
  value: readonly number[],
  range: Range,
  description: string,
): Leaf<readonly number[]> => leaf('numbers', value, description, { range });

export const texts = (value: readonly string[], description: string): Leaf<readonly string[]> =>
  leaf('texts', value, description);

/** Whether values of this kind are lists. */
export function isList(kind: LeafKind): kind is 'pair' | 'integers' | 'numbers' | 'texts' {
  return LIST_FORMS[kind] !== undefined;
}

/** How a list is written; on the command line without brackets and blanks. */
export const LIST_FORMS: Readonly<Partial<Record<LeafKind, string>>> = {
  pair: '[0.2, 1.0]',
  integers: '[1, 2, 3]',
  numbers: '[0.2, 1.0]',
  texts: '[a, b]',
};

/** The same leaf, but null is allowed too. */
export function nullable<T>(inner: Leaf<T>, value: T | null): Leaf<T | null> {
  return { ...inner, default: value, nullable: true };
}

/** Whether the value may stand in a configuration. A nullable text may not be empty: an unset shell variable is no path. */
export function accepts<T>(leaf: Leaf<T>, value: unknown): value is T {
  const { kind, range, choices } = leaf;
  if (value === null) return leaf.nullable;
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isSafeInteger(value) && inRange(value, range);
    case 'number':
      return inRange(value, range);
    case 'string':
      return typeof value === 'string' && (value !== '' || !leaf.nullable);
    case 'choice':
      return typeof value === 'string' && choices.includes(value);
    case 'pair':
      return Array.isArray(value) && value.length === 2 && value.every((item) => inRange(item, range));
    case 'integers':
      return (
        Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && inRange(item, range))
      );
    case 'numbers':
      return Array.isArray(value) && value.every((item) => inRange(item, range));
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
    default:
      return unreachable(kind);
  }
}

function inRange(value: unknown, range: Range): boolean {
  const { min = -Infinity, above = -Infinity, max = Infinity, below = Infinity } = range;
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  return value >= min && value > above && value <= max && value < below;
}

/** What a leaf accepts: `an integer of at least 1, or null`. */
export function allowed(leaf: Leaf): string {
  const { kind, choices } = leaf;
  const range = describeRange(leaf.range);
  const texts: Record<LeafKind, string> = {
    boolean: 'true or false',
    integer: `an integer${range}`,
    number: `a number${range}`,
    string: leaf.nullable ? 'a text that is not empty' : 'a text',
    choice: `one of ${choices.join(', ')}`,
    pair: `two numbers [low, high], each${range || ' finite'}`,
    integers: `a list of integers${range && `, each${range}`}`,
    numbers: `a list of numbers${range && `, each${range}`}`,
    texts: 'a list of texts',
  };
  return leaf.nullable ? `${texts[kind]}, or null` : texts[kind];
}

function describeRange({ min, above, max, below }: Range): string {
  const low = min !== undefined ? ` of at least ${min}` : above !== undefined ? ` above ${above}` : '';
  const high = max !== undefined ? ` at most ${max}` : below !== undefined ? ` below ${below}` : '';
  return low && high ? `${low} and${high}` : low || high;
}
