/** Pictures for tests: a smooth coloured pattern without symmetry, and a temporary folder to put files into. */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll } from 'vitest';
import type { RawImage } from '../../src/image/types.js';

/** Different along both axes and in each channel, so that any flip, turn or swap of channels shows. */
export function pattern(width: number, height: number, phase = 0): RawImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      data[at] = 40 + (170 * x) / width;
      data[at + 1] = 40 + (170 * y) / height;
      data[at + 2] = 128 + 60 * Math.sin((5 * x) / width + (9 * y) / height + phase);
    }
  }
  return { data, width, height };
}

export function picture({ data, width, height }: RawImage): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** A folder that is removed after the tests of a file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'scrl-test-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a JPEG of a pattern, making its folder. */
export async function writeJpeg(path: string, width = 24, height = 20, phase = 0): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await picture(pattern(width, height, phase))
    .jpeg({ quality: 95 })
    .toFile(path);
}

/** Largest and mean absolute difference of two pictures. */
export function difference(a: Uint8Array, b: Uint8Array): { largest: number; mean: number } {
  if (a.length !== b.length) throw new Error(`${a.length} bytes against ${b.length}`);
  let largest = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i] - b[i]);
    largest = Math.max(largest, distance);
    sum += distance;
  }
  return { largest, mean: sum / a.length };
}
