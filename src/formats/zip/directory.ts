/**
 * The central directory of a ZIP file: which entries there are and where.
 *
 * Only the central directory is believed; `locateContent` then requires the local header to agree, because readers that
 * look at different headers see different files. Refused: encrypted and duplicate entries, names that lead out of the
 * archive, entries that share bytes, compression beyond any honest ratio, archives of several parts, and bytes before
 * the archive. Bytes after it are tolerated, as PyTorch does. Layout: PKWARE APPNOTE 6.3, ZIP64 included.
 */

import { type ByteSource, damaged, type ReadBytes } from '../byte-source.js';

export interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflate';
  /** Bytes of the content. */
  readonly size: number;
  /** Bytes in the file. */
  readonly compressedSize: number;
  readonly crc: number;
  /** Position of the local header. */
  readonly offset: number;
  /** Where the next entry, or the directory, begins: the content ends at or before this position. */
  readonly limit: number;
}

const END_RECORD = 0x06054b50;
const END_LOCATOR_64 = 0x07064b50;
const END_RECORD_64 = 0x06064b50;
const DIRECTORY_HEADER = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const LARGEST_DIRECTORY = 64 * 2 ** 20;
const MOST_ENTRIES = 250_000;
/** Weights do not compress well. */
export const LARGEST_RATIO = 200;
/** What deflate itself can reach, with runs of one byte. */
export const LARGEST_DEFLATE_RATIO = 1032;

interface DirectoryPlace {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/** @returns the entries by name, in the order of the directory @throws UserError for anything refused */
export async function readDirectory(source: ByteSource, read: ReadBytes): Promise<Map<string, ZipEntry>> {
  const place = await findDirectory(source, read);
  if (place.size > LARGEST_DIRECTORY || place.count > MOST_ENTRIES) {
    throw damaged(source.name, `has an absurdly large directory (${place.count} entries)`);
  }
  const bytes = await read(place.offset, place.size);
  const entries: ZipEntry[] = [];
  let position = 0;
  for (let i = 0; i < place.count; i++) {
    const { entry, length } = parseEntry(source.name, bytes.subarray(position));
    entries.push(entry);
    position += length;
  }
  if (position !== bytes.length) throw damaged(source.name, 'has a directory of the wrong length');
  const limited = withLimits(source.name, entries, place.offset);
  const byName = new Map(limited.map((entry) => [entry.name, entry]));
  if (byName.size !== limited.length) throw damaged(source.name, 'holds two entries of the same name');
  return byName;
}

/** Position of the first byte of the content. @throws UserError when local header and directory disagree */
export async function locateContent(
  source: ByteSource,
  entry: ZipEntry,
  read: ReadBytes,
  largestRatio: number,
): Promise<number> {
  // Checked where an entry is read: archives of any kind hold files that compress absurdly well, and nobody reads them.
  if (entry.size > largestRatio * entry.compressedSize) throw absurdSize(source.name, entry);
  const expectedName = Buffer.from(entry.name);
  const bytes = await read(entry.offset, 30 + expectedName.length);
  const header = view(bytes);
  const start = entry.offset + bytes.length + header.getUint16(28, true);
  const flags = header.getUint16(6, true);
  const method = header.getUint16(8, true) === 0 ? 'stored' : 'deflate';
  const agrees =
    header.getUint32(0, true) === LOCAL_HEADER &&
    header.getUint16(26, true) === expectedName.length &&
    expectedName.equals(bytes.subarray(30)) &&
    (flags & 1) === 0 &&
    method === entry.method;
  if (!agrees || start + entry.compressedSize > entry.limit) {
    throw damaged(source.name, 'local header and directory disagree', entry.name);
  }
  return start;
}

/** The last end record that fits the place where it stands. */
async function findDirectory(source: ByteSource, read: ReadBytes): Promise<DirectoryPlace> {
  const length = Math.min(source.size, 22 + 0xffff);
  const start = source.size - length;
  const tail = view(await read(start, length));
  let seen = false;
  for (let i = length - 22; i >= 0; i--) {
    if (tail.getUint32(i, true) !== END_RECORD) continue;
    seen = true;
    const place = await parseEnd(source.name, tail, i, start + i, read);
    if (place !== undefined) return place;
  }
  throw damaged(
    source.name,
    seen
      ? 'the directory is not where the end of the archive says'
      : 'the end of the archive is missing: the file is cut off',
  );
}

async function parseEnd(
  name: string,
  tail: DataView,
  at: number,
  position: number,
  read: ReadBytes,
): Promise<DirectoryPlace | undefined> {
  if (tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 6, true) !== 0) return undefined;
  const locator = position >= 20 ? view(await read(position - 20, 20)) : undefined;
  if (locator?.getUint32(0, true) === END_LOCATOR_64) {
    const recordPosition = wide(name, locator, 8);
    if (recordPosition + 56 > position - 20) return undefined;
    const record = view(await read(recordPosition, 56));
    if (record.getUint32(0, true) !== END_RECORD_64) return undefined;
    if (recordPosition + 12 + wide(name, record, 4) !== position - 20) return undefined;
    const place = {
      count: wide(name, record, 32),
      size: wide(name, record, 40),
      offset: wide(name, record, 48),
    };
    return place.offset + place.size === recordPosition ? place : undefined;
  }
  const place = {
    count: tail.getUint16(at + 10, true),
    size: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  return place.offset + place.size === position ? place : undefined;
}

function absurdSize(
  where: string,
  { name, size, compressedSize }: Pick<ZipEntry, 'name' | 'size' | 'compressedSize'>,
) {
  return damaged(where, `claims ${size} bytes out of ${compressedSize}`, name);
}

function parseEntry(where: string, bytes: Uint8Array): { entry: ZipEntry; length: number } {
  const header = view(bytes);
  if (bytes.length < 46 || header.getUint32(0, true) !== DIRECTORY_HEADER) {
    throw damaged(where, 'has a directory that cannot be read');
  }
  const nameLength = header.getUint16(28, true);
  const extraLength = header.getUint16(30, true);
  const length = 46 + nameLength + extraLength + header.getUint16(32, true);
  if (length > bytes.length) throw damaged(where, 'has a directory that cannot be read');
  const name = decodeName(where, bytes.subarray(46, 46 + nameLength));
  const flags = header.getUint16(8, true);
  if ((flags & 0x2041) !== 0) throw damaged(where, 'is encrypted', name);
  const code = header.getUint16(10, true);
  if (code !== 0 && code !== 8) throw damaged(where, `uses compression method ${code}`, name);
  const extra = bytes.subarray(46 + nameLength, 46 + nameLength + extraLength);
  const [size, compressedSize, offset] = wideFields(where, extra, [
    header.getUint32(24, true),
    header.getUint32(20, true),
    header.getUint32(42, true),
  ]);
  const method = code === 0 ? 'stored' : 'deflate';
  if (method === 'stored' && size !== compressedSize) throw absurdSize(where, { name, size, compressedSize });
  const crc = header.getUint32(16, true);
  return { entry: { name, method, size, compressedSize, crc, offset, limit: 0 }, length };
}

/** Replaces fields that are all ones by those of the ZIP64 extra field, which holds only these, in this order. */
function wideFields(where: string, extra: Uint8Array, fields: number[]): number[] {
  if (!fields.includes(0xffffffff)) return fields;
  const block = view(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + block.getUint16(at + 2, true)) {
    if (block.getUint16(at, true) !== 1) continue;
    const end = at + 4 + block.getUint16(at + 2, true);
    let next = at + 4;
    return fields.map((field) => {
      if (field !== 0xffffffff) return field;
      if (next + 8 > end || end > extra.length) throw damaged(where, 'has a short ZIP64 field');
      next += 8;
      return wide(where, block, next - 8);
    });
  }
  return fields;
}

/** Gives every entry its limit; refuses entries that reach into the next one. */
function withLimits(where: string, entries: readonly ZipEntry[], directory: number): ZipEntry[] {
  const inOrder = [...entries].sort((a, b) => a.offset - b.offset);
  const limits = new Map<ZipEntry, number>();
  inOrder.forEach((entry, i) => {
    const limit = i + 1 < inOrder.length ? inOrder[i + 1].offset : directory;
    if (entry.offset + 30 + Buffer.byteLength(entry.name) + entry.compressedSize > limit) {
      throw damaged(where, 'overlaps another entry or lies outside the archive', entry.name);
    }
    limits.set(entry, limit);
  });
  return entries.map((entry) => ({ ...entry, limit: limits.get(entry) ?? 0 }));
}

function decodeName(where: string, bytes: Uint8Array): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw damaged(where, 'holds an entry whose name is not UTF-8');
  }
  const outside = name === '' || /^\/|^[A-Za-z]:|\\|\0/.test(name) || name.split('/').includes('..');
  if (outside) throw damaged(where, `holds an entry of an unsafe name, ${JSON.stringify(name)}`);
  return name;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function wide(where: string, bytes: DataView, at: number): number {
  const value = Number(bytes.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw damaged(where, 'holds an absurd size or position');
  return value;
}
