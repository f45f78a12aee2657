import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resizeBilinear } from '../../src/image/resize-bilinear.js';
import { bilinearDigest, hashNoise, nearestDigest } from './resized.js';

interface Vector {
  from: [number, number];
  to: [number, number];
  seed: number;
  bilinear: string;
  nearest: string;
}

/** From Pillow 12.3.0, by test/parity/python/resize.py. */
const VECTORS = JSON.parse(readFileSync(join(import.meta.dirname, 'resize.json'), 'utf8')) as Vector[];

describe("Pillow's resizing, to the byte", () => {
  it.each(VECTORS)('$from to $to', ({ from, to, seed, bilinear, nearest }) => {
    expect(bilinearDigest([from, to, seed])).toBe(bilinear);
    expect(nearestDigest([from, to, seed])).toBe(nearest);
  });

  const grey = (values: number[], width: number) => {
    const data = Uint8Array.from(values.flatMap((value) => [value, value, value]));
    return { data, width, height: values.length / width };
  };
  const resize = (values: number[], width: number, toWidth: number, toHeight: number): number[] => {
    const { data } = resizeBilinear(grey(values, width), toWidth, toHeight);
    return [...data].filter((_, i) => i % 3 === 0);
  };

  it('gives the numbers of the specification', () => {
    const row = [0, 50, 100, 150, 200, 250];
    expect(resize(row, 6, 2, 1)).toEqual([63, 188]);
    expect(resize(row, 6, 3, 1)).toEqual([36, 125, 214]);
    expect(resize(row, 6, 4, 1)).toEqual([19, 89, 161, 231]);
    expect(resize(row, 6, 9, 1)).toEqual([0, 25, 58, 92, 125, 158, 192, 225, 250]);
    const square = Array.from({ length: 36 }, (_, i) => 7 * i);
    const expected = [33, 42, 53, 62, 108, 117, 128, 137, 183, 192, 203, 212];
    expect(resize(square, 6, 4, 3)).toEqual(expected);
  });

  it.each([
    [5, 4, 5, 4],
    [5, 4, 7, 4],
    [1, 3, 1, 2],
    [37, 23, 16, 41],
    [2, 401, 3, 150],
  ])('mirrors %i x %i to %i x %i', (width, height, toWidth, toHeight) => {
    const image = hashNoise(width, height, 0);
    const upright = [...resizeBilinear(image, toWidth, toHeight).data];
    const pixels = Array.from({ length: toWidth * toHeight }, (_, i) => {
      const mirrored = i + toWidth - 1 - 2 * (i % toWidth);
      return upright.slice(3 * mirrored, 3 * mirrored + 3);
    });
    expect([...resizeBilinear(image, toWidth, toHeight, true).data]).toEqual(pixels.flat());
  });

  it('is the same after a picture whose memory is not kept', () => {
    const image = hashNoise(30, 20, 0);
    const before = resizeBilinear(image, 50, 40);
    expect(resizeBilinear(hashNoise(5000, 5000, 0), 4, 4).data).toHaveLength(48);
    expect(resizeBilinear(image, 50, 40)).toEqual(before);
  });

  it('returns a picture of the right size as it is', () => {
    const image = hashNoise(5, 4, 0);
    expect(resizeBilinear(image, 5, 4)).toBe(image);
  });
});
