import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { resample } from '../../src/image/resample.js';
import type { RawImage } from '../../src/image/types.js';
import { literalResize, mirrored } from './literal-resize.js';
import { difference } from './pictures.js';

function noise(stream: RandomStream, width: number, height: number): RawImage {
  const data = Uint8Array.from({ length: width * height * 3 }, () => stream.integer(0, 256));
  return { data, width, height };
}

describe('resample', () => {
  it('differs from the literal version by at most one level, on windows of whole pixels and between pixels', () => {
    const stream = new RandomStream(3, 'resample');
    for (let trial = 0; trial < 40; trial++) {
      const image = noise(stream, stream.integer(8, 90), stream.integer(8, 90));
      const fraction = trial % 2 === 0 ? 0 : 0.37;
      const width = stream.integer(3, image.width + 1) - fraction;
      const height = stream.integer(3, image.height + 1) - fraction;
      const left = Math.min(stream.integer(0, image.width), Math.floor(image.width - width)) + fraction;
      const top = Math.min(stream.integer(0, image.height), Math.floor(image.height - height)) + fraction;
      const window = { left, top, width, height };
      const size = stream.integer(6, 50);
      const context = stream.chance(0.5);
      const flipped = stream.chance(0.5);
      const actual = new Uint8Array(size * size * 3);
      resample(image, window, size, flipped, context, actual);
      const upright = literalResize(image, window, size, context);
      const { largest, mean } = difference(actual, flipped ? mirrored(upright, size) : upright);
      expect(largest, JSON.stringify({ window, size, context, flipped })).toBeLessThanOrEqual(1);
      expect(mean).toBeLessThan(0.05);
    }
  });

  it('copies a window of the size of the result', () => {
    const image = noise(new RandomStream(5, 'copy'), 20, 20);
    const actual = new Uint8Array(8 * 8 * 3);
    resample(image, { left: 3, top: 5, width: 8, height: 8 }, 8, false, true, actual);
    const rows = Array.from({ length: 8 }, (_, y) => [
      ...image.data.subarray(((y + 5) * 20 + 3) * 3).slice(0, 24),
    ]);
    expect([...actual]).toEqual(rows.flat());
  });

  it.each([0, 1, 77, 254, 255])('keeps a flat area at %i exactly, for any reduction', (level) => {
    const image = { data: new Uint8Array(120 * 100 * 3).fill(level), width: 120, height: 100 };
    for (const size of [6, 7, 31, 96, 150]) {
      const actual = new Uint8Array(size * size * 3);
      resample(image, { left: 1, top: 2, width: 117, height: 95 }, size, false, false, actual);
      expect(new Set(actual)).toEqual(new Set([level]));
    }
  });

  it('reads nothing outside the window unless context is asked for', () => {
    const image = { data: new Uint8Array(40 * 40 * 3), width: 40, height: 40 };
    for (let y = 10; y < 30; y++) image.data.fill(200, (y * 40 + 10) * 3, (y * 40 + 30) * 3);
    const window = { left: 10, top: 10, width: 20, height: 20 };
    const inside = new Uint8Array(8 * 8 * 3);
    resample(image, window, 8, false, false, inside);
    expect(new Set(inside)).toEqual(new Set([200]));
    resample(image, window, 8, false, true, inside);
    expect(inside[0]).toBeLessThan(200);
  });

  it('leaves no trace of an earlier, larger picture', () => {
    const stream = new RandomStream(8, 'trace');
    const small = noise(stream, 30, 30);
    const window = { left: 0, top: 0, width: 30, height: 30 };
    const before = new Uint8Array(16 * 16 * 3);
    const after = before.slice();
    resample(small, window, 16, false, false, before);
    const large = noise(stream, 700, 500);
    resample(
      large,
      { left: 0, top: 0, width: 700, height: 500 },
      64,
      true,
      true,
      new Uint8Array(64 * 64 * 3),
    );
    resample(small, window, 16, false, false, after);
    expect(after).toEqual(before);
  });

  it('refuses a result that is too small for its blocks', () => {
    const image = { data: new Uint8Array(300), width: 10, height: 10 };
    const window = { left: 0, top: 0, width: 10, height: 10 };
    expect(() => resample(image, window, 5, false, false, new Uint8Array(75))).toThrow(
      'output side 5 is below 6',
    );
  });
});
