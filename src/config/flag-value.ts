/** One value from the command line: a text, or what a parser already made of it. */

import { accepts, isList, type Leaf, type LeafKind, LIST_FORMS } from './leaf.js';

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
  if (kind === 'texts') return toTexts(raw);
  if (isList(kind)) return toNumbers(raw);
  if (kind === 'string' && typeof raw === 'number') return String(raw);
  if (typeof raw !== 'string') return raw;
  const word = raw.trim().toLowerCase();
  if (leaf.nullable && (word === 'null' || word === 'none')) return null;
  if (kind === 'boolean') return TRUE.includes(word) ? true : FALSE.includes(word) ? false : raw;
  if (kind === 'integer' || kind === 'number') return toNumber(word);
  return raw;
}

function toNumbers(raw: unknown): unknown {
  if (Array.isArray(raw)) return raw.map(toNumber);
  return splitList(raw)?.map(toNumber) ?? raw;
}

function toTexts(raw: unknown): unknown {
  return splitList(raw) ?? raw;
}

/** The parts between commas; undefined when it is no text, or an empty one. */
function splitList(raw: unknown): string[] | undefined {
  if (typeof raw !== 'string' || raw === '') return undefined;
  const items = raw.trim().replace(/^\[(.*)\]$/, '$1');
  return items === '' ? [] : items.split(',').map((part) => part.trim());
}

/** How a list is written on the command line; undefined for other kinds. */
export function listForm(kind: LeafKind): string | undefined {
  return LIST_FORMS[kind]?.replaceAll(/[[\] ]/g, '');
}

/** The number a text stands for; the text itself when it is none. */
function toNumber(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
}
