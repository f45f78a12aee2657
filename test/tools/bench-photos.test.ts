/** The pictures of the pipeline benchmark: reproducible, decodable, and as large as photographs. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { probeImage } from '../../src/image/probe.js';
import { drawPhoto, LARGE_PHOTO, makePhotos, SMALL_PHOTO } from '../../tools/bench/make-photos.js';
import { temporaryFolder } from '../image/pictures.js';

it('writes the same files for the same seed, as large as those of ImageNet', async () => {
  const folder = await temporaryFolder();
  const sizes = await makePhotos(join(folder, 'a'), 3, SMALL_PHOTO);
  await makePhotos(join(folder, 'b'), 1, SMALL_PHOTO);
  await makePhotos(join(folder, 'c'), 1, SMALL_PHOTO, 2);
  const first = await readFile(join(folder, 'a', '000.jpg'));
  expect(await readFile(join(folder, 'b', '000.jpg'))).toEqual(first);
  expect(await readFile(join(folder, 'c', '000.jpg'))).not.toEqual(first);
  expect(await probeImage(join(folder, 'a', '002.jpg'))).toMatchObject({
    width: 500,
    height: 375,
    format: 'jpeg',
  });
  expect(Math.min(...sizes)).toBeGreaterThan(60e3);
  expect(Math.max(...sizes)).toBeLessThan(100e3);
});

it('has the contrast of a photograph at any size, odd ones included', () => {
  for (const [width, height] of [
    [500, 375],
    [33, 17],
    [LARGE_PHOTO.width / 16, LARGE_PHOTO.height / 16],
  ]) {
    const { data } = drawPhoto({ width, height, decay: 0.8 }, new RandomStream(7, 'photo'));
    expect(data).toHaveLength(width * height * 3);
    const green = data.filter((_, i) => i % 3 === 1);
    const mean = green.reduce((a, b) => a + b, 0) / green.length;
    const deviation = Math.sqrt(green.reduce((sum, value) => sum + (value - mean) ** 2, 0) / green.length);
    expect(mean).toBeGreaterThan(100);
    expect(mean).toBeLessThan(130);
    expect(deviation).toBeGreaterThan(40);
    expect(deviation).toBeLessThan(65);
  }
});
