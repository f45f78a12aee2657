/** Tiny stand-ins for what is installed: shared libraries, wheels, archives, and a pip that copies instead of downloading. */

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, vi } from 'vitest';
import type { Log } from '../../../src/core/log.js';

const ELF_CODES: Record<string, number> = { x64: 62, arm64: 183 };
const MACH_CODES: Record<string, number> = { x64: 16777223, arm64: 16777228 };

/**
 * An ELF file of three sections: none, .dynsym, .dynstr.
 *
 * @param gap bytes of zero between the names of `defined` and of `imported`
 */
export function elf(
  arch: string,
  defined: readonly string[],
  imported: readonly string[] = [],
  gap = 1,
): Buffer {
  const pieces: Buffer[] = [Buffer.alloc(gap)];
  let at = gap;
  const symbols = [Buffer.alloc(24)];
  for (const [name, section] of [
    ...defined.map((n) => [n, 1] as const),
    ...imported.map((n) => [n, 0] as const),
  ]) {
    const symbol = Buffer.alloc(24);
    symbol.writeUInt32LE(at, 0);
    symbol.writeUInt16LE(section, 6);
    symbols.push(symbol);
    pieces.push(Buffer.from(`${name}\0`));
    at += name.length + 1;
  }
  const [symbolTable, names] = [Buffer.concat(symbols), Buffer.concat(pieces)];
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01', 'latin1');
  header.writeUInt16LE(ELF_CODES[arch], 18);
  header.writeBigUInt64LE(BigInt(64 + symbolTable.length + names.length), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(3, 60);
  const section = (type: number, offset: number, size: number, link: number) => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(type, 4);
    bytes.writeBigUInt64LE(BigInt(offset), 24);
    bytes.writeBigUInt64LE(BigInt(size), 32);
    bytes.writeUInt32LE(link, 40);
    return bytes;
  };
  return Buffer.concat([
    header,
    symbolTable,
    names,
    section(0, 0, 0, 0),
    section(11, 64, symbolTable.length, 2),
    section(3, 64 + symbolTable.length, names.length, 0),
  ]);
}

export function machO(arch: string): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(MACH_CODES[arch], 4);
  return header;
}

/** A library for the machine that the tests run on. */
export function hostLibrary(...symbols: string[]): Buffer {
  return process.platform === 'darwin' ? machO(process.arch) : elf(process.arch, symbols);
}

export const OTHER_ARCH = process.arch === 'x64' ? 'arm64' : 'x64';

export interface Spoilt {
  /** Written instead of the true checksum of the member of this name. */
  wrongCrc?: string;
}

/** A ZIP file of deflated members. */
export function zip(members: Readonly<Record<string, Buffer | string>>, { wrongCrc }: Spoilt = {}): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(members)) {
    const content = Buffer.from(text);
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE((crc32(content) ^ (name === wrongCrc ? 1 : 0)) >>> 0, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    local.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), common, rest, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(central.length / 4, 8);
  end.writeUInt16LE(central.length / 4, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

/** A wheel as TensorFlow's: the two libraries, its metadata, and something that is not wanted. */
export function wheel(
  { main = hostLibrary('TF_Version'), framework = hostLibrary('TF_NewStatus'), version = '2.21.0' } = {},
  spoilt: Spoilt = {},
): Buffer {
  return zip(
    {
      'tensorflow/__init__.py': 'import this',
      'tensorflow/libtensorflow_framework.so.2': framework,
      'tensorflow/libtensorflow_cc.so.2': main,
      [`tensorflow_cpu-${version}.dist-info/METADATA`]: [
        'Metadata-Version: 2.4',
        `Version: ${version}`,
        'Requires-Dist: numpy>=1.26.0',
        'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5; extra == "and-cuda"',
        'Requires-Dist: nvidia-cudnn-cu12 (<10.0,>=9.3) ; extra == "and-cuda"',
        '',
      ].join('\n'),
    },
    spoilt,
  );
}

export type TarMember = { name: string; content?: Buffer | string; type?: string; link?: string };

export function tar(members: readonly TarMember[]): Buffer {
  const blocks = members.flatMap(({ name, content = '', type = '0', link = '' }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${bytes.length.toString(8).padStart(11, '0')} `, 124);
    header.fill(' ', 148, 156);
    header.write(type, 156);
    header.write(link, 157);
    header.write('ustar\x0000', 257, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function tarGz(members: readonly TarMember[]): Buffer {
  return gzipSync(tar(members));
}

/** A log that remembers its lines. */
export function memoryLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    info: (message) => lines.push(message),
    warn: (message) => lines.push(`warning: ${message}`),
    debug: () => undefined,
  };
}

/** For each test an empty folder that is also `$SCRL_HOME`, and no engine from outside. */
export function useFolder(): { readonly path: string } {
  const folder = { path: '' };
  beforeEach(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'scrl-install-'));
    vi.stubEnv('SCRL_HOME', join(folder.path, 'home'));
    vi.stubEnv('SCRL_TENSORFLOW', undefined);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(folder.path, { recursive: true, force: true });
  });
  return folder;
}

/**
 * Puts a `python3` first in the PATH whose pip runs `script` for a download: `$dest` is the folder to download to, `$*` are
 * the arguments. Each call is a line in the file that is returned.
 */
export async function fakePip(folder: string, script: string): Promise<string> {
  const bin = join(folder, 'bin');
  const calls = join(folder, 'pip-calls');
  await mkdir(bin, { recursive: true });
  const lines = [
    '#!/bin/sh',
    'case "$*" in *--version*) exit 0;; esac',
    `echo "$*" >> '${calls}'`,
    'arguments="$*"',
    'while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest=$2; shift; done',
    'set -- "$arguments"',
    script,
  ];
  await writeFile(join(bin, 'python3'), `${lines.join('\n')}\n`);
  await chmod(join(bin, 'python3'), 0o755);
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`);
  return calls;
}
