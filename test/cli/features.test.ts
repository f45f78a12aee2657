/** `scrl features` as users run it. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostTensor, loadTensor } from '../../src/core/array.js';
import { fileSource } from '../../src/formats/byte-source.js';
import { readNpz } from '../../src/formats/npz.js';
import { readSafetensors } from '../../src/formats/safetensors.js';
import { runCli } from '../helpers/cli.js';
import { truncateFile, writeClasses, writePhoto } from '../helpers/photos.js';
import { writeResNet18 } from '../helpers/weights.js';

const NAMES = ['coarse/0.jpg', 'coarse/1.jpg', 'coarse/2.jpg', 'fine/0.jpg', 'fine/1.jpg', 'fine/2.jpg'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-features-'));
  await writeClasses(join(folder, 'sorted'), 3);
  await writeClasses(join(folder, 'splits/train'), 1);
  await writeClasses(join(folder, 'splits/val'), 1);
  for (const i of [0, 1, 2, 3, 4]) await writePhoto(join(folder, `bad/deep/${i}.jpg`), 'fine', i);
  truncateFile(join(folder, 'bad/deep/2.jpg'));
  writeFileSync(join(folder, 'bad/note.jpg'), 'this is no picture');
  const images = ['fine/1.jpg', 'coarse/2.jpg'].map((file_name, id) => ({ id, file_name }));
  writeFileSync(join(folder, 'coco.json'), JSON.stringify({ images }));
  writeFileSync(join(folder, 'text.txt'), 'this is no picture');
  mkdirSync(join(folder, 'nothing'));
  await writeResNet18(join(folder, 'r18.pth'), 1);
  await writeResNet18(join(folder, 'cut.pth'), 1);
  truncateFile(join(folder, 'cut.pth'), 0.7);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const weights = ['--weights', 'r18.pth', '--size', '64'];
const run = (...args: string[]) => runCli(folder, ['features', ...args]);

interface Contents {
  arrays: Record<string, HostTensor>;
  texts: Record<string, readonly string[]>;
}

async function readArrays(name: string): Promise<Contents> {
  const source = await fileSource(join(folder, name));
  const contents: Contents = { arrays: {}, texts: {} };
  if (name.endsWith('.npz')) {
    for (const [key, entry] of (await readNpz(source)).entries) {
      if ('dtype' in entry) contents.arrays[key] = await loadTensor(entry);
      else contents.texts[key] = await entry.load();
    }
    return contents;
  }
  const { tensors, metadata } = await readSafetensors(source);
  for (const [key, tensor] of tensors) contents.arrays[key] = await loadTensor(tensor);
  for (const key of ['files', 'classes']) contents.texts[key] = JSON.parse(metadata.get(key) ?? '[]');
  return contents;
}

const bytes = ({ data }: HostTensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

it('writes a row for each image, the same in both formats, whatever the batch', async () => {
  expect((await run(...weights, 'sorted', 'f.npz')).code).toBe(0);
  const { arrays, texts } = await readArrays('f.npz');
  expect(arrays.features).toMatchObject({ dtype: 'float32', shape: [6, 512] });
  expect([...arrays.labels.data]).toEqual([0, 0, 0, 1, 1, 1]);
  expect([...arrays.failed.data]).toEqual([0, 0, 0, 0, 0, 0]);
  expect(texts).toMatchObject({ files: NAMES, classes: ['coarse', 'fine'] });
  expect(JSON.parse(texts.about[0])).toMatchObject({ network: 'resnet18', layer: 'pooled', size: '64' });
  // Rows of one class are alike, of two classes not so: they are those of the images that the names say.
  const row = (i: number) => Array.from(arrays.features.data.subarray(512 * i, 512 * (i + 1)), Number);
  const distance = (i: number, j: number) => Math.hypot(...row(i).map((value, c) => value - row(j)[c]));
  expect(Math.max(distance(0, 1), distance(3, 4))).toBeLessThan(Math.min(distance(0, 3), distance(2, 5)));

  const { code, err } = await run(...weights, '--batch', '4', '--workers', '1', 'sorted', 'f.safetensors');
  expect(err).toContain('f.safetensors: features float32 [6, 512], ');
  expect(code).toBe(0);
  const other = await readArrays('f.safetensors');
  expect(bytes(other.arrays.features).equals(bytes(arrays.features))).toBe(true);
  expect([...other.arrays.labels.data]).toEqual([...arrays.labels.data]);
  expect(other.texts).toEqual({ files: texts.files, classes: texts.classes });
});

it('writes the maps of a stage: [N, H, W, C]', async () => {
  expect((await run(...weights, '--layer', 'res5', 'sorted', 'maps.npz')).code).toBe(0);
  const { features } = (await readArrays('maps.npz')).arrays;
  expect(features.shape).toEqual([6, 2, 2, 512]);
  await run(...weights, 'sorted', 'pooled.npz');
  const pooled = (await readArrays('pooled.npz')).arrays.features;
  // The mean over the cells is the pooled output; channels come last.
  for (const [image, channel] of [
    [0, 0],
    [3, 17],
    [5, 511],
  ]) {
    const cells = [0, 1, 2, 3].map((cell) => Number(features.data[(image * 4 + cell) * 512 + channel]));
    const mean = cells.reduce((sum, value) => sum + value, 0) / 4;
    expect(Math.abs(mean - Number(pooled.data[image * 512 + channel]))).toBeLessThan(
      1e-4 * Math.abs(mean) + 1e-6,
    );
  }
});

it('marks what cannot be decoded, and keeps the places of the others', async () => {
  const { code, err } = await run(...weights, 'bad', 'bad.npz');
  expect(err).toMatch(/bad\/note\.jpg: .*; it has no row/);
  expect(err).toMatch(/bad\/deep\/2\.jpg: .*; its row is zeros/);
  expect(code).toBe(0);
  const { arrays, texts } = await readArrays('bad.npz');
  expect(texts.files).toEqual([0, 1, 2, 3, 4].map((i) => `deep/${i}.jpg`));
  expect([...arrays.failed.data]).toEqual([0, 0, 1, 0, 0]);
  expect(arrays.labels).toBeUndefined();
  const isZero = [0, 1, 2, 3, 4].map((i) =>
    [...arrays.features.data.subarray(512 * i, 512 * (i + 1))].every((v) => v === 0),
  );
  expect(isZero).toEqual([false, false, true, false, false]);
});

it('takes an image, and the images of an annotation file', async () => {
  expect((await run(...weights, 'sorted/fine/1.jpg', 'one.npz')).code).toBe(0);
  const one = await readArrays('one.npz');
  expect(one.texts.files).toEqual(['1.jpg']);
  expect((await run(...weights, 'coco.json', 'two.npz', '--dataset/root', 'sorted')).code).toBe(0);
  const two = await readArrays('two.npz');
  expect(two.texts.files).toEqual(['coarse/2.jpg', 'fine/1.jpg']);
  const second = bytes(two.arrays.features).subarray(512 * 4);
  expect(second.equals(bytes(one.arrays.features))).toBe(true);
});

it('keeps an existing file, unless it is told to replace it', async () => {
  writeFileSync(join(folder, 'kept.npz'), 'precious');
  const refused = await run(...weights, 'sorted/fine/1.jpg', 'kept.npz');
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('kept.npz: exists already') });
  expect(readFileSync(join(folder, 'kept.npz'), 'utf8')).toBe('precious');
  expect((await run(...weights, 'sorted/fine/1.jpg', 'kept.npz', '--overwrite')).code).toBe(0);
  expect((await readArrays('kept.npz')).arrays.features.shape).toEqual([1, 512]);
});

describe('mistakes end with 2, say what to do, and leave nothing behind', () => {
  it.each([
    ['no weights', ['sorted', 'x.npz'], /Missing required argument: weights/],
    ['truncated weights', ['--weights', 'cut.pth', 'sorted', 'x.npz'], /cut\.pth/],
    ['another suffix', [...weights, 'sorted', 'x.csv'], /OUT: must end in \.npz or \.safetensors/],
    ['another layer', [...weights, 'sorted', 'x.npz', '--layer', 'res6'], /res6/],
    [
      'a tiny size',
      [...weights.slice(0, 2), '--size', '16', 'sorted', 'x.npz'],
      /--size: must be .* from 32/,
    ],
    ['no such folder', [...weights, 'nowhere', 'x.npz'], /nowhere: there is no such file or folder/],
    ['an empty folder', [...weights, 'nothing', 'x.npz'], /nothing: holds no images/],
    ['no picture', [...weights, 'text.txt', 'x.npz'], /text\.txt: no picture/],
    ['splits', [...weights, 'splits', 'x.npz'], /splits: holds splits.*give one of them/s],
    ['a list without its folder', [...weights, 'coco.json', 'x.npz'], /add --dataset\/root FOLDER/],
    ['a folder twice', [...weights, 'sorted', 'x.npz', '--dataset/root', 'sorted'], /leave it out/],
    [
      'one image that cannot be decoded',
      [...weights, 'bad/deep/2.jpg', 'x.npz'],
      /deep\/2\.jpg: cannot be decoded/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, err } = await run(...args);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'x.npz'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
