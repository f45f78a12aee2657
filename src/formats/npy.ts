/**
 * The header of NumPy's `.npy`: magic, version, and a Python dict that says element type, memory order and shape.
 *
 * The dict is a literal and is parsed as one, by an expression that admits nothing else.
 */

import type { DType } from '../core/array.js';
import { CODE_OF_DTYPE, DTYPE_OF_CODE } from './numpy-codes.js';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const ALIGNMENT = 64;
/** Longest header that is read; NumPy's own limit is 10,000 characters. */
export const LONGEST_HEADER = 64 * 1024;

/** What an array holds: numbers, or texts of this many characters (four bytes each). */
export type NpyElement = { readonly dtype: DType } | { readonly characters: number };

export interface NpyHeader {
  /** Undefined for element types that are not read: complex, dates, structures, Python objects (which could run code). */
  readonly element: NpyElement | undefined;
  /** As the file has it, e.g. `<f4`. */
  readonly descr: string;
  readonly littleEndian: boolean;
  readonly columnMajor: boolean;
  readonly shape: readonly number[];
  /** Position of the first element. */
  readonly start: number;
}

/** The header is not sound. The reader adds the place. */
export class MalformedNpy extends Error {}

/** @param bytes the array's beginning, as much of it as `LONGEST_HEADER` @throws MalformedNpy */
export function parseNpyHeader(bytes: Uint8Array): NpyHeader {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!head.subarray(0, 6).equals(MAGIC) || head.length < 12) throw new MalformedNpy('is no NumPy array');
  const major = head[6];
  if (major < 1 || major > 3)
    throw new MalformedNpy(`is of version ${major} of the format, which is not known`);
  const start = major === 1 ? 10 + head.readUInt16LE(8) : 12 + head.readUInt32LE(8);
  if (start > head.length) throw new MalformedNpy('has a header that is cut off or too long');
  const text = head.toString(major === 3 ? 'utf8' : 'latin1', major === 1 ? 10 : 12, start);
  const fields = parseDict(text);
  const descr = fields.get('descr');
  const order = fields.get('fortran_order');
  const shape = fields.get('shape');
  if (fields.size !== 3 || descr === undefined || order === undefined || shape === undefined) {
    throw new MalformedNpy('has a header that cannot be read');
  }
  const code = /^'([<>|=]?)([?a-zA-Z])(\d*)'$/.exec(descr);
  const kind = `${code?.[2] ?? ''}${code?.[3] ?? ''}`;
  return {
    element: elementOf(kind),
    descr: descr.replaceAll("'", ''),
    littleEndian: code?.[1] !== '>',
    columnMajor: order === 'True',
    shape: parseShape(shape),
    start,
  };
}

function elementOf(kind: string): NpyElement | undefined {
  const dtype = DTYPE_OF_CODE.get(kind === '?' ? 'b1' : kind);
  if (dtype !== undefined) return { dtype };
  const text = /^U(\d{1,9})$/.exec(kind);
  return text === null ? undefined : { characters: Number(text[1]) };
}

/** Keys and the source text of their values. */
function parseDict(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  const field =
    /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|True|False|\([^()]*\)|\[.*\])\s*(,|(?=\}))/sy;
  const open = /^\s*\{/.exec(text);
  let position = open?.[0].length ?? 0;
  for (;;) {
    field.lastIndex = position;
    const found = field.exec(text);
    if (found === null) break;
    if (fields.has(found[1])) throw new MalformedNpy(`names ${found[1]} twice`);
    fields.set(found[1], found[2]);
    position = field.lastIndex;
  }
  if (open === null || !/^\s*\}\s*$/.test(text.slice(position))) {
    throw new MalformedNpy('has a header that cannot be read');
  }
  return fields;
}

function parseShape(text: string): number[] {
  // No two neighbouring parts may match the same blanks: the time would be quadratic.
  if (!/^\(\s*(\d+\s*(,\s*\d+\s*)*(,\s*)?)?\)$/.test(text))
    throw new MalformedNpy('has a shape that cannot be read');
  return (text.match(/\d+/g) ?? []).map(Number);
}

/** A header of version 1.0, padded so that the elements begin at a multiple of 64. @returns undefined for bfloat16 */
export function npyHeader(element: NpyElement, shape: readonly number[]): Buffer | undefined {
  const code = 'dtype' in element ? CODE_OF_DTYPE.get(element.dtype) : `U${element.characters}`;
  if (code === undefined) return undefined;
  const order = /1$/.test(code) && 'dtype' in element ? '|' : '<';
  const sides = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${sides}), }`;
  const length = Math.ceil((10 + dict.length + 1) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(length, ' ');
  MAGIC.copy(header);
  header[6] = 1;
  header[7] = 0;
  header.writeUInt16LE(length - 10, 8);
  header.write(dict, 10, 'latin1');
  header[length - 1] = 0x0a;
  return header;
}
