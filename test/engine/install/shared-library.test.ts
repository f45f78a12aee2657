/** Machine and symbols of fabricated libraries; names at the edges of the pieces in which they are read. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { definedSymbols, libraryMachine } from '../../../src/engine/install/shared-library.js';
import { elf, machO, useFolder } from './fabricate.js';

const folder = useFolder();

async function file(bytes: Buffer): Promise<string> {
  const path = join(folder.path, 'lib.so.2');
  await writeFile(path, bytes);
  return path;
}

it.each([
  ['linux', 'x64', elf('x64', [])],
  ['linux', 'arm64', elf('arm64', [])],
  ['darwin', 'arm64', machO('arm64')],
])('reads %s-%s from the header', async (platform, arch, bytes) => {
  expect(await libraryMachine(await file(bytes))).toEqual({ platform, arch });
});

it('names a processor that it does not know by its code', async () => {
  const bytes = elf('x64', []);
  bytes.writeUInt16LE(243, 18);
  expect((await libraryMachine(await file(bytes))).arch).toBe('processor 243');
});

it('finds the wanted names among the defined ones: no imports, beginnings or endings', async () => {
  const path = await file(
    elf('x64', ['TF_NewGraph', 'TF_VersionMajor', 'XTF_Dim', '_ZN10tensorflow'], ['TF_NumDims']),
  );
  const wanted = ['TF_NewGraph', 'TF_Version', 'TF_Dim', 'TF_NumDims'];
  expect(await definedSymbols(path, wanted)).toEqual(new Set(['TF_NewGraph']));
});

it.each([-12, -11, -5, -1, 0, 1])(
  'finds a name that begins %i bytes from the end of a piece',
  async (distance) => {
    const path = await file(elf('x64', ['TF_NewGraph'], [], 4 * 2 ** 20 + distance));
    expect(await definedSymbols(path, ['TF_NewGraph'])).toEqual(new Set(['TF_NewGraph']));
  },
);

it('does not read symbols of macOS, and says so', async () => {
  expect(await definedSymbols(await file(machO('x64')), ['TF_Version'])).toBeUndefined();
});

it('refuses a library that was cut off anywhere, and what is none', async () => {
  const whole = elf('x64', ['TF_Version', 'TF_NewGraph']);
  for (let length = 0; length < whole.length; length += 7) {
    const path = await file(whole.subarray(0, length));
    await expect(definedSymbols(path, ['TF_Version'])).rejects.toThrow(/lib.so.2: the library is cut short/);
  }
  const text = await file(
    Buffer.from('a text that is long enough to hold the header of a shared library, 64 bytes'),
  );
  await expect(libraryMachine(text)).rejects.toThrow('is not a shared library');
  await expect(libraryMachine(join(folder.path, 'none'))).rejects.toThrow('the library cannot be read');
});
