/**
 * Looks into a shared library without loading it: which machine it is for, and whether it exports given functions. A
 * library for another machine, or one cut short, is thus refused with a clear message before anything depends on it.
 *
 * Reads ELF (Linux) and the first bytes of Mach-O (macOS). TensorFlow's table of names is 80 MB; it is read in pieces.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { hasCode, UserError } from '../../core/errors.js';

/** In Node's words, e.g. `linux` and `x64`; `processor 243` for one that Node does not run on. */
export interface Machine {
  platform: 'linux' | 'darwin';
  arch: string;
}

const ELF_PROCESSORS: Record<number, string> = {
  3: 'ia32',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
};
const MACH_PROCESSORS: Record<number, string> = { 16777223: 'x64', 16777228: 'arm64' };
const DYNAMIC_SYMBOLS = 11;
const SYMBOL_BYTES = 24;
const PIECE = 4 * 2 ** 20;

/** @throws UserError when the file cannot be read or is no shared library */
export function libraryMachine(path: string): Promise<Machine> {
  return withFile(path, async (file) => machineOf(path, await readAt(file, path, 0, 64)));
}

/**
 * Those of `names` that the library defines; undefined for Mach-O, whose tables are not read.
 *
 * @throws UserError as `libraryMachine`, and when the file ends before its tables
 */
export function definedSymbols(path: string, names: readonly string[]): Promise<Set<string> | undefined> {
  return withFile(path, async (file) => {
    const head = await readAt(file, path, 0, 64);
    if (machineOf(path, head).platform === 'darwin') return undefined;
    const tables = await findTables(file, path, head);
    if (tables === undefined) return new Set<string>();
    const symbols = await readAt(file, path, tables.symbols.offset, tables.symbols.size);
    return matchNames(file, path, tables.names, nameOffsets(symbols), names);
  });
}

function machineOf(path: string, head: Buffer): Machine {
  if (head.readUInt32BE(0) === 0x7f454c46) {
    const bigEndian = head[5] === 2;
    const code = bigEndian ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return { platform: 'linux', arch: ELF_PROCESSORS[code] ?? `processor ${code}` };
  }
  if (head.readUInt32LE(0) === 0xfeedfacf) {
    const code = head.readUInt32LE(4);
    return { platform: 'darwin', arch: MACH_PROCESSORS[code] ?? `processor ${code}` };
  }
  throw new UserError('is not a shared library', {
    where: path,
    remedy: 'use the library from a TensorFlow wheel',
  });
}

interface Range {
  offset: number;
  size: number;
}

/** The dynamic symbols and their names, from the section headers of a 64-bit little-endian file. */
async function findTables(
  file: FileHandle,
  path: string,
  head: Buffer,
): Promise<{ symbols: Range; names: Range } | undefined> {
  if (head[4] !== 2 || head[5] !== 1) return undefined;
  const stride = head.readUInt16LE(58);
  const count = head.readUInt16LE(60);
  const table = await readAt(file, path, Number(head.readBigUInt64LE(40)), stride * count);
  const range = (at: number): Range => ({
    offset: Number(table.readBigUInt64LE(at + 24)),
    size: Number(table.readBigUInt64LE(at + 32)),
  });
  for (let at = 0; at + 64 <= table.length; at += stride) {
    if (table.readUInt32LE(at + 4) !== DYNAMIC_SYMBOLS) continue;
    const names = table.readUInt32LE(at + 40) * stride;
    if (names + 64 > table.length) throw cutShort(path);
    return { symbols: range(at), names: range(names) };
  }
  return undefined;
}

/** Where the names of the defined symbols begin, ascending. Entries: name 4, info 1, other 1, section 2 (0 = imported), ... */
function nameOffsets(symbols: Buffer): Uint32Array {
  const offsets: number[] = [];
  for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
    if (symbols.readUInt16LE(at + 6) !== 0) offsets.push(symbols.readUInt32LE(at));
  }
  return Uint32Array.from(offsets).sort();
}

/** Walks through the names in pieces that overlap by the longest wanted name, so that none is split. */
async function matchNames(
  file: FileHandle,
  path: string,
  table: Range,
  offsets: Uint32Array,
  wanted: readonly string[],
): Promise<Set<string>> {
  const wantedSet = new Set(wanted);
  const overlap = Math.max(0, ...wanted.map((name) => name.length)) + 1;
  const found = new Set<string>();
  let next = 0;
  for (let start = 0; start < table.size; start += PIECE) {
    const length = Math.min(PIECE + overlap, table.size - start);
    const bytes = await readAt(file, path, table.offset + start, length);
    for (; next < offsets.length && offsets[next] < start + PIECE; next++) {
      const at = offsets[next] - start;
      // Names of C++ functions, by far the most, are longer than any wanted one.
      const end = bytes.subarray(at, at + overlap).indexOf(0);
      if (end < 0) continue;
      const name = bytes.toString('latin1', at, at + end);
      if (wantedSet.has(name)) found.add(name);
    }
  }
  return found;
}

async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path).catch((error) => {
    if (!hasCode(error, 'ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR')) throw error;
    throw new UserError('the library cannot be read', {
      where: path,
      remedy: 'check that the file is there and may be read',
      cause: error,
    });
  });
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  // A position taken from damaged bytes must not become a huge allocation.
  if (!(position >= 0 && position + length <= (await file.stat()).size)) throw cutShort(path);
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) throw cutShort(path);
  return buffer;
}

function cutShort(path: string): UserError {
  return new UserError('the library is cut short', { where: path, remedy: 'get it again' });
}
