/** One value from the command line: a text, or what a parser already made of it. */

import { accepts, type Leaf } from './leaf.js';

const TRUE = ['yes', 'true', 't', 'y', '1'];
const FALSE = ['no', 'false', 'f', 'n', '0'];
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Whether the parser collected several values of a flag that takes one. */
export function isRepeated(leaf: Leaf, raw: unknown): boolean {
  if (!Array.isArray(raw)) return false;
  return leaf.kind !== 'pair' || raw.some((item) => typeof item === 'string' && item.includes(','));
}

/**
 * Booleans are yes/true/t/y/1 and no/false/f/n/0 in any case; `null` and `none` stand for null where it is allowed;
 * pairs are `0.2,1.0` or `[0.2,1.0]`.
 *
 * @returns undefined when the leaf does not accept the value
 */
export function parseFlag(leaf: Leaf, raw: unknown): { value: unknown } | undefined {
  const value = convert(leaf, raw);
  return accepts(leaf, value) ? { value } : undefined;
}

function convert(leaf: Leaf, raw: unknown): unknown {
  const { kind } = leaf;
  if (kind === 'pair') return toPair(raw);
  if (kind === 'string' && typeof raw === 'number') return String(raw);
  if (typeof raw !== 'string') return raw;
  const word = raw.trim().toLowerCase();
  if (leaf.nullable && (word === 'null' || word === 'none')) return null;
  if (kind === 'boolean') return TRUE.includes(word) ? true : FALSE.includes(word) ? false : raw;
  if (kind === 'integer' || kind === 'number') return toNumber(word);
  return raw;
}

function toPair(raw: unknown): unknown {
  if (Array.isArray(raw)) return raw.map(toNumber);
  if (typeof raw !== 'string') return raw;
  return raw
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .split(',')
    .map((part) => toNumber(part.trim()));
}

/** The number a text stands for; the text itself when it is none. */
function toNumber(value: unknown): unknown {
  return typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
}
