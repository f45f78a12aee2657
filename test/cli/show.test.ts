/** `scrl show` as users run it. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.js';
import { truncateFile, writePhoto } from '../helpers/photos.js';
import { writeResNet18 } from '../helpers/weights.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-show-'));
  await writePhoto(join(folder, 'a.jpg'), 'fine', 1);
  await writePhoto(join(folder, 'b.jpg'), 'coarse', 2, 80, 120);
  await writePhoto(join(folder, 'cut.jpg'), 'fine', 3);
  truncateFile(join(folder, 'cut.jpg'));
  writeFileSync(join(folder, 'text.jpg'), 'this is no picture');
  await writeResNet18(join(folder, 'r18.pth'), 1);
  await writeResNet18(join(folder, 'broken.pth'), 1);
  truncateFile(join(folder, 'broken.pth'), 0.7);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const weights = ['--weights', 'r18.pth', '--size', '80'];
const run = (...args: string[]) => runCli(folder, ['show', ...args]);

/** A square of the picture, as bytes. */
function part(name: string, left: number, top: number, side: number): Promise<Buffer> {
  const area = { left, top, width: side, height: side };
  return sharp(join(folder, name)).extract(area).removeAlpha().raw().toBuffer();
}

describe('pca', () => {
  it('puts each image beside its map; equal images have equal maps', async () => {
    const { code, err } = await run(
      'pca',
      ...weights,
      '--layer',
      'res4',
      '--out',
      'p.png',
      'a.jpg',
      'b.jpg',
      'a.jpg',
    );
    expect(err).toMatch(/p\.png: 3 images; red, green, blue: .* % of the variance of res4/);
    expect(code).toBe(0);
    const { width, height } = await sharp(join(folder, 'p.png')).metadata();
    expect([width, height]).toEqual([2 * 80 + 3 * 8, 3 * 80 + 4 * 8]);
    const map = (row: number) => part('p.png', 96, 8 + 88 * row, 80);
    expect((await map(0)).equals(await map(2))).toBe(true);
    expect((await map(0)).equals(await map(1))).toBe(false);
    // The map is of all colours: the percentiles were stretched.
    const { channels } = await sharp(await map(1), { raw: { width: 80, height: 80, channels: 3 } }).stats();
    for (const { min, max } of channels) expect(max - min).toBeGreaterThan(60);
  });

  it('stands more than four images side by side', async () => {
    const { code } = await run('pca', ...weights, '--out', 'five.png', ...Array(5).fill('a.jpg'));
    expect(code).toBe(0);
    const { width, height } = await sharp(join(folder, 'five.png')).metadata();
    expect([width, height]).toEqual([4 * 88 + 8, 3 * 88 + 8]);
  });
});

describe('match', () => {
  it('finds a point in the same image', async () => {
    // Column 40 and row 16 are the centre of a cell of res4, as the square in the middle begins at column 8.
    const args = ['--layer', 'res4', '--at', '40,16', '--out', 'same.png'];
    const { code, err } = await run('match', ...weights, ...args, 'a.jpg', 'a.jpg');
    expect(err).toMatch(/same\.png: the most similar cell of res4 \(cross\) has cosine 1\.000\n/);
    expect(code).toBe(0);
    // The same picture with the same cross, left and in the middle.
    expect((await part('same.png', 8, 8, 80)).equals(await part('same.png', 96, 8, 80))).toBe(true);
  });

  it('draws another view by the seed, and knows the true place', async () => {
    const look = async (out: string, seed: string) => {
      const args = ['--at', '50,40', '--seed', seed, '--layer', 'res3', '--out', out];
      const { code, err } = await run('match', ...weights, ...args, 'a.jpg');
      expect(err).toMatch(/has cosine \d\.\d+, \d+ pixels from the true place \(ring\)/);
      expect(code).toBe(0);
      return readFileSync(join(folder, out));
    };
    const first = await look('1.png', '1');
    expect((await look('again.png', '1')).equals(first)).toBe(true);
    expect((await look('2.png', '2')).equals(first)).toBe(false);
  });
});

describe('mistakes end with 2 and say what to do', () => {
  const out = ['--out', 'x.png'];
  const at = ['--at', '3,3'];
  it.each([
    ['no weights', ['pca', ...out, 'a.jpg'], /Missing required argument: weights/],
    ['no images', ['pca', ...weights, ...out], /1 of 2 arguments: scrl show <what> <images/],
    ['truncated weights', ['pca', '--weights', 'broken.pth', ...out, 'a.jpg'], /broken\.pth/],
    ['another picture', ['tsne', ...weights, ...out, 'a.jpg'], /tsne/],
    ['too many images', ['pca', ...weights, ...out, ...Array(9).fill('a.jpg')], /at most 8 images, not 9/],
    ['a point for pca', ['pca', ...weights, ...out, ...at, 'a.jpg'], /--at: belongs to `show match`/],
    ['no point', ['match', ...weights, ...out, 'a.jpg'], /add --at x,y/],
    ['half a point', ['match', ...weights, ...out, '--at', '3', 'a.jpg'], /--at: must be x,y/],
    [
      'a point outside',
      ['match', ...weights, ...out, '--at', '96,3', 'a.jpg'],
      /lies outside of the image of 96 x 80/,
    ],
    ['the pooled layer', ['pca', ...weights, ...out, '--layer', 'pooled', 'a.jpg'], /pooled/],
    ['an option twice', ['pca', ...weights, ...out, ...out, 'a.jpg'], /--out: was given more than once/],
    ['no picture', ['pca', ...weights, ...out, 'a.jpg', 'text.jpg'], /text\.jpg: no picture/],
    [
      'a damaged picture',
      ['match', ...weights, ...out, ...at, 'a.jpg', 'cut.jpg'],
      /cut\.jpg: cannot be decoded/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, err } = await run(...args);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'x.png'))).toBe(false);
  });
});
