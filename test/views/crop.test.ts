import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { centredSquare, drawCrop } from '../../src/views/crop.js';
import { workingGrid } from '../../src/views/working-grid.js';

/** A stream that returns given numbers in [0, 1), for working out a crop by hand. */
class Scripted extends RandomStream {
  readonly values: number[];
  constructor(...values: number[]) {
    super(0, 'scripted');
    this.values = values;
  }
  override uniform(): number {
    const value = this.values.shift();
    if (value === undefined) throw new Error('more draws than expected');
    return value;
  }
}

describe('drawCrop', () => {
  it('follows area, ratio, top and left in that order', () => {
    // Area 100 * 80 * (0.2 + 0.5 * 0.8) = 4800; ratio exp(0) = 1; side sqrt(4800) = 69.28 -> 69.
    // top = floor(0.5 * 12) = 6, left = floor(0.25 * 32) = 8.
    const stream = new Scripted(0.5, 0.5, 0.5, 0.25);
    expect(drawCrop(stream, 100, 80, [0.2, 1])).toEqual({ top: 6, left: 8, height: 69, width: 69 });
    expect(stream.values).toEqual([]);
  });

  it('rounds halves to even, as Python does', () => {
    // Area 10 * 10 * 0.0625 = 6.25, ratio 1: side 2.5 -> 2.
    const crop = drawCrop(new Scripted(0, 0.5, 0, 0), 10, 10, [0.0625, 1]);
    expect([crop.width, crop.height]).toEqual([2, 2]);
  });

  it('tries again when a window does not fit', () => {
    // Share 1 at ratio 4/3 is too wide for a square; then share 0.2 fits.
    const stream = new Scripted(0.9999, 0.9999, 0, 0.5, 0, 0);
    expect(drawCrop(stream, 50, 50, [0.2, 1])).toEqual({ top: 0, left: 0, height: 22, width: 22 });
  });

  it.each([
    // Ratio 10 is clamped to 4/3: width 30 * 4 / 3 = 40, centred at (300 - 40) / 2 = 130.
    [300, 30, { top: 0, left: 130, height: 30, width: 40 }],
    // Ratio 1/10 is clamped to 3/4: height 30 / 0.75 = 40.
    [30, 300, { top: 130, left: 0, height: 40, width: 30 }],
    [50, 50, { top: 0, left: 0, height: 50, width: 50 }],
  ])('falls back to the largest centred window of %i x %i', (width, height, expected) => {
    // A share above 1 never fits.
    expect(drawCrop(new RandomStream(1, 'fallback'), width, height, [4, 5])).toEqual(expected);
  });

  it('keeps windows inside, and reaches all borders, shares and ratios', () => {
    const stream = new RandomStream(2, 'property');
    let [least, most, narrow, wide] = [1, 0, 9, 0];
    const touched = { top: false, left: false, bottom: false, right: false };
    for (let i = 0; i < 4000; i++) {
      const { top, left, height, width } = drawCrop(stream, 120, 90, [0.2, 1]);
      for (const value of [top, left, height, width]) expect(Number.isInteger(value)).toBe(true);
      expect(top >= 0 && left >= 0 && top + height <= 90 && left + width <= 120).toBe(true);
      least = Math.min(least, (width * height) / (120 * 90));
      most = Math.max(most, (width * height) / (120 * 90));
      narrow = Math.min(narrow, width / height);
      wide = Math.max(wide, width / height);
      touched.top ||= top === 0;
      touched.left ||= left === 0;
      touched.bottom ||= top + height === 90;
      touched.right ||= left + width === 120;
    }
    expect(touched).toEqual({ top: true, left: true, bottom: true, right: true });
    expect(least).toBeGreaterThan(0.195);
    expect(least).toBeLessThan(0.21);
    expect(most).toBeGreaterThan(0.95);
    expect(narrow).toBeCloseTo(3 / 4, 1);
    expect(wide).toBeCloseTo(4 / 3, 1);
  });
});

describe('centredSquare', () => {
  it('is what the evaluation shows, in whole pixels', () => {
    // 375 * 224 / 256 = 328.125 -> 328; margins 23.5 -> 24 (even) and 86.
    expect(centredSquare(500, 375, 224 / 256)).toEqual({ top: 24, left: 86, height: 328, width: 328 });
  });
});

describe('workingGrid', () => {
  it('uses the coarser scale of each axis', () => {
    const a = { left: 0, top: 0, width: 224, height: 224 };
    const b = { left: 112, top: 24, width: 448, height: 100 };
    // Common 112 x 100; scales x min(1, 0.5), y min(1, 2.24).
    expect(workingGrid(a, b, 224)).toMatchObject({ width: 56, height: 100 });
  });

  it('is nothing for windows that only touch', () => {
    const a = { left: 0, top: 0, width: 10, height: 10 };
    expect(workingGrid(a, { ...a, left: 10 }, 224)).toBeUndefined();
    expect(workingGrid(a, { ...a, top: 12 }, 224)).toBeUndefined();
  });
});
