import { appendFileSync, cpSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDataset } from '../../src/data/dataset.js';
import { fingerprintImages } from '../../src/data/fingerprint.js';
import { writePicture } from '../helpers/pictures.js';

let folder: string;
const fingerprint = async (name: string) =>
  fingerprintImages((await openDataset({ root: join(folder, name), rescan: true })).images);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-fingerprint-'));
  for (let i = 0; i < 5; i++) await writePicture(join(folder, 'images', `${i}.jpg`), i, i);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a data set that was moved is the same', async () => {
  cpSync(join(folder, 'images'), join(folder, 'moved'), { recursive: true });
  expect(await fingerprint('moved')).toBe(await fingerprint('images'));
});

it('another picture of the same size, another name, or one more image make it another', async () => {
  const before = await fingerprint('images');
  for (const [name, change] of [
    ['content', (at: string) => writePicture(join(at, '3.jpg'), 9, 9)],
    ['name', (at: string) => rm(join(at, '3.jpg')).then(() => writePicture(join(at, '3b.jpg'), 3, 3))],
    ['more', (at: string) => writePicture(join(at, '9.jpg'), 9, 9)],
  ] as const) {
    cpSync(join(folder, 'images'), join(folder, name), { recursive: true });
    await change(join(folder, name));
    expect(await fingerprint(name), name).not.toBe(before);
  }
});

it('a file that vanished is no error', async () => {
  cpSync(join(folder, 'images'), join(folder, 'vanished'), { recursive: true });
  const { images } = await openDataset({ root: join(folder, 'vanished') });
  writeFileSync(join(folder, 'vanished', 'note.txt'), 'images are gone');
  for (let i = 0; i < 5; i++) await rm(join(folder, 'vanished', `${i}.jpg`));
  expect(await fingerprintImages(images)).toMatch(/^[0-9a-f]{64}$/);
});

it('any file of another number of bytes makes it another, though few are read', async () => {
  const root = join(folder, 'many');
  for (let i = 0; i < 130; i++) cpSync(join(folder, 'images', '0.jpg'), join(root, `${i}.jpg`));
  const { images } = await openDataset({ root });
  const seen = new Set([await fingerprintImages(images)]);
  for (let i = 0; i < 130; i++) {
    appendFileSync(images.path(i), ' ');
    seen.add(await fingerprintImages(images));
  }
  expect(seen.size).toBe(131);
});
