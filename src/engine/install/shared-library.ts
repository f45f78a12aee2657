/**
 * Looks into a shared library without loading it: which processor it is for, and which functions it exports. A library
 * for another machine, or one cut short, is thus refused with a clear message before anything depends on it.
 *
 * Reads ELF (Linux) and the header of Mach-O (macOS); only the tables needed are read, not the 800 MB.
 */

import { type FileHandle, open } from 'node:fs/promises';
import { hasCode, UserError } from '../../core/errors.js';

/** `process.arch` of the machine that a library is for, and its exported functions where the format gives them away. */
export interface LibraryFacts {
  format: 'elf' | 'mach-o';
  arch: string;
  /** Names of defined dynamic symbols; undefined for Mach-O, whose tables are not read. */
  symbols: ReadonlySet<string> | undefined;
}

const ELF_MACHINES: Record<number, string> = { 62: 'x64', 183: 'arm64', 40: 'arm', 3: 'ia32' };
const MACH_CPUS: Record<number, string> = { 16777223: 'x64', 16777228: 'arm64' };
const DYNAMIC_SYMBOLS = 11;

/** @throws UserError when the file is missing, is no shared library, or ends before its tables */
export async function inspectLibrary(path: string): Promise<LibraryFacts> {
  const file = await open(path).catch((error) => {
    if (!hasCode(error, 'ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR')) throw error;
    throw new UserError('the library cannot be read', { where: path, cause: error });
  });
  try {
    const head = await readAt(file, path, 0, 64);
    if (head.readUInt32BE(0) === 0x7f454c46) return await inspectElf(file, path, head);
    if (head.readUInt32LE(0) === 0xfeedfacf) {
      const cpu = head.readUInt32LE(4);
      return { format: 'mach-o', arch: MACH_CPUS[cpu] ?? `processor ${cpu}`, symbols: undefined };
    }
    throw new UserError('is not a shared library', { where: path, remedy: 'install the runtime again' });
  } finally {
    await file.close();
  }
}

/** @param head the first 64 bytes: the ELF header of a 64-bit file */
async function inspectElf(file: FileHandle, path: string, head: Buffer): Promise<LibraryFacts> {
  const machine = head.readUInt16LE(18);
  const arch = ELF_MACHINES[machine] ?? `processor ${machine}`;
  const is64LittleEndian = head[4] === 2 && head[5] === 1;
  if (!is64LittleEndian) return { format: 'elf', arch, symbols: new Set() };
  const sectionOffset = Number(head.readBigUInt64LE(40));
  const sectionSize = head.readUInt16LE(58);
  const sectionCount = head.readUInt16LE(60);
  const table = await readAt(file, path, sectionOffset, sectionSize * sectionCount);
  const section = (index: number) => {
    const at = index * sectionSize;
    return {
      type: table.readUInt32LE(at + 4),
      offset: Number(table.readBigUInt64LE(at + 24)),
      size: Number(table.readBigUInt64LE(at + 32)),
      link: table.readUInt32LE(at + 40),
    };
  };
  for (let i = 0; i < sectionCount; i++) {
    const { type, offset, size, link } = section(i);
    if (type !== DYNAMIC_SYMBOLS) continue;
    const names = section(link);
    return {
      format: 'elf',
      arch,
      symbols: definedSymbols(
        await readAt(file, path, offset, size),
        await readAt(file, path, names.offset, names.size),
      ),
    };
  }
  return { format: 'elf', arch, symbols: new Set() };
}

/** Entries are 24 bytes: name 4, info 1, other 1, section 2, value 8, size 8; section 0 means imported. */
function definedSymbols(symbols: Buffer, names: Buffer): Set<string> {
  const found = new Set<string>();
  for (let at = 0; at + 24 <= symbols.length; at += 24) {
    if (symbols.readUInt16LE(at + 6) === 0) continue;
    const start = symbols.readUInt32LE(at);
    // C functions only: mangled C++ names, by far the most, start with an underscore.
    if (names[start] !== 0x54 /* T */) continue;
    found.add(names.toString('latin1', start, names.indexOf(0, start)));
  }
  return found;
}

async function readAt(file: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) {
    throw new UserError('the library is cut short', { where: path, remedy: 'install the runtime again' });
  }
  return buffer;
}
