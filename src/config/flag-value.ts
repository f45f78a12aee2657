/** One value from the command line: a text, or what a parser already made of it. */

import { accepts, isList, type Leaf, type LeafKind } from './leaf.js';

const TRUE = ['yes', 'true', 't', 'y', '1'];
const FALSE = ['no', 'false', 'f', 'n', '0'];
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Whether the parser collected several values of a flag that takes one. */
export function isRepeated(leaf: Leaf, raw: unknown): boolean {
  if (!Array.isArray(raw)) return false;
  return !isList(leaf.kind) || raw.some((item) => typeof item === 'string' && item.includes(','));
}

/**
 * Booleans are yes/true/t/y/1 and no/false/f/n/0 in any case; `null` and `none` stand for null where it is allowed;
 * lists are `0.2,1.0` or `[0.2,1.0]`.
 *
 * @returns undefined when the leaf does not accept the value
 */
export function parseFlag<T>(leaf: Leaf<T>, raw: unknown): { value: T } | undefined {
  const value = convert(leaf, raw);
  return accepts(leaf, value) ? { value } : undefined;
}

function convert(leaf: Leaf, raw: unknown): unknown {
  const { kind } = leaf;
  if (isList(kind)) return toList(raw);
  if (kind === 'string' && typeof raw === 'number') return String(raw);
  if (typeof raw !== 'string') return raw;
  const word = raw.trim().toLowerCase();
  if (leaf.nullable && (word === 'null' || word === 'none')) return null;
  if (kind === 'boolean') return TRUE.includes(word) ? true : FALSE.includes(word) ? false : raw;
  if (kind === 'integer' || kind === 'number') return toNumber(word);
  return raw;
}

function toList(raw: unknown): unknown {
  if (Array.isArray(raw)) return raw.map(toNumber);
  if (typeof raw !== 'string') return raw;
  const items = raw.trim().replace(/^\[(.*)\]$/, '$1');
  if (items === '') return raw === '' ? raw : [];
  return items.split(',').map((part) => toNumber(part.trim()));
}

/** How a list is written on the command line; undefined for other kinds. */
export function listForm(kind: LeafKind): string | undefined {
  return isList(kind) ? (kind === 'integers' ? '1,2,3' : '0.2,1.0') : undefined;
}

/** The number a text stands for; the text itself when it is none. */
function toNumber(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
}
