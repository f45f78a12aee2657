import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readTarGz } from '../../../src/engine/install/tar.js';
import { tar, tarGz, useFolder } from './fabricate.js';

const folder = useFolder();
const SIZES = [0, 1, 511, 512, 513, 300_000];

/** Contents of the files; those that `skip` names are left unread. */
async function readAll(bytes: Buffer, skip: string[] = []): Promise<Record<string, string>> {
  const path = join(folder.path, 'a.tar.gz');
  await writeFile(path, bytes);
  const found: Record<string, string> = {};
  await readTarGz(path, async (name, content) => {
    if (skip.includes(name)) return;
    found[name] = '';
    for await (const piece of content) found[name] += Buffer.from(piece).toString();
  });
  return found;
}

it('shows files of any length, whole; links and folders are passed over', async () => {
  const files = SIZES.map((size) => ({ name: `lib/${size}`, content: String(size % 10).repeat(size) }));
  const links = [
    { name: 'lib/', type: '5' },
    { name: 'lib/link', type: '2', link: '512' },
  ];
  const found = await readAll(tarGz([...links, ...files, ...links]), ['lib/513']);
  const expected = files.filter(({ name }) => name !== 'lib/513').map(({ name, content }) => [name, content]);
  expect(found).toEqual(Object.fromEntries(expected));
});

it('refuses an archive that is cut off, before or behind the compression', async () => {
  const members = [{ name: 'a', content: 'x'.repeat(2000) }];
  const packed = tarGz(members);
  for (const length of [20, packed.length - 9, packed.length - 1]) {
    await expect(readAll(packed.subarray(0, length))).rejects.toThrow(/a.tar.gz: cannot be unpacked/);
  }
  await expect(readAll(gzipSync(tar(members).subarray(0, 1000)))).rejects.toThrow('ends in the middle');
});

it('notices a wrong checksum of gzip, even behind the last file, and of a header', async () => {
  const packed = Buffer.from(tarGz([{ name: 'a', content: 'text' }]));
  packed[packed.length - 6] ^= 1;
  await expect(readAll(packed)).rejects.toThrow('cannot be unpacked');
  const plain = tar([{ name: 'a', content: 'text' }]);
  plain[0] ^= 1;
  await expect(readAll(gzipSync(plain))).rejects.toThrow('is no tar archive');
});
