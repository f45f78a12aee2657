/** Arithmetic of matched boxes: the golden cases of the reference, and properties of the map from grid to views. */

import { describe, expect, it } from 'vitest';
import { clip, iou, overlap, type Rectangle } from '../../../src/core/boxes.js';
import { RandomStream } from '../../../src/core/rng.js';
import type { Crop } from '../../../src/image/types.js';
import { boxInView, type GridBox, jitterBox } from '../../../src/models/ssl/box-geometry.js';
import { type WorkingGrid, workingGrid } from '../../../src/views/working-grid.js';

const SIDE = 224;

function crop(top: number, left: number, height: number, width: number, flipped: 0 | 1): Crop {
  return { top, left, height, width, flipped: flipped === 1 };
}

function gridOf(first: Crop, second: Crop): WorkingGrid {
  const grid = workingGrid(first, second, SIDE);
  if (grid === undefined) throw new Error('the crops of the test do not overlap');
  return grid;
}

function inView(box: GridBox, grid: WorkingGrid, view: Crop): number[] {
  const { left, top, right, bottom } = clip(boxInView(box, grid, view, SIDE), SIDE, SIDE);
  return [left, top, right, bottom];
}

function expectClose(actual: number[], expected: number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 5);
  });
}

describe('the golden cases', () => {
  it('two crops of different shape, the second flipped', () => {
    const views = [crop(10, 20, 200, 300, 0), crop(50, 100, 250, 250, 1)] as const;
    const grid = gridOf(...views);
    expect(grid.overlap).toEqual({ left: 100, top: 50, right: 320, bottom: 210 });
    expectClose([SIDE / 300, SIDE / 200], [0.7466667, 1.12]);
    expectClose([grid.scaleX, grid.scaleY], [0.7466667, 0.896]);
    expect([grid.width, grid.height]).toEqual([164, 143]);
    expect([grid.width, grid.height].map((side) => Math.floor(side / 32))).toEqual([5, 4]);
    const box = { x: 10, y: 20, width: 50, height: 40 };
    expectClose(inView(box, grid, views[0]), [69.7333333, 69.8, 119.7333333, 119.8]);
    expectClose(inView(box, grid, views[1]), [152, 20, 212, 60]);
  });

  it('both flipped, and a box that must be clipped', () => {
    const views = [crop(0, 0, 375, 500, 1), crop(100, 150, 180, 170, 1)] as const;
    const grid = gridOf(...views);
    expect([grid.width, grid.height]).toEqual([76, 108]);
    expect([grid.width, grid.height].map((side) => Math.floor(side / 32))).toEqual([2, 3]);
    const box = { x: 0, y: 0, width: 76, height: 107 };
    expectClose(inView(box, grid, views[0]), [80.8, 59.7333333, 156.8, 166.7333333]);
    expectClose(inView(box, grid, views[1]), [0.4705882, 0, 224, 222.9166667]);
  });

  it('the same crop twice, the second flipped', () => {
    const views = [crop(0, 0, 375, 500, 0), crop(0, 0, 375, 500, 1)] as const;
    const grid = gridOf(...views);
    const box = { x: 32, y: 64, width: 96, height: 128 };
    expectClose(inView(box, grid, views[0]), [32, 64, 128, 192]);
    expectClose(inView(box, grid, views[1]), [96, 64, 192, 192]);
  });
});

describe('workingGrid', () => {
  it('rounds halves to the even side, as Python does', () => {
    // Both views at scale 1/2; an overlap of 65 is 32.5, one of 67 is 33.5.
    const first = crop(0, 0, 448, 448, 0);
    const sides = [65, 67].map((overlap) => gridOf(first, crop(0, 448 - overlap, 448, 448, 0)).width);
    expect(sides).toEqual([32, 34]);
  });
});

describe('overlap', () => {
  it('is undefined for crops that are apart or only touch', () => {
    expect(overlap(crop(0, 0, 10, 10, 0), crop(0, 10, 10, 10, 0))).toBeUndefined();
    expect(overlap(crop(0, 0, 10, 10, 0), crop(10, 0, 10, 10, 0))).toBeUndefined();
    expect(workingGrid(crop(0, 0, 10, 10, 0), crop(50, 50, 10, 10, 0), SIDE)).toBeUndefined();
  });
});

describe('a box in its two views', () => {
  /** Undoes flip and resize. */
  function toSource(box: Rectangle, { top, left, height, width, flipped }: Crop): number[] {
    const [low, high] = flipped ? [SIDE - box.right, SIDE - box.left] : [box.left, box.right];
    const x = (value: number) => left + (value * width) / SIDE;
    const y = (value: number) => top + (value * height) / SIDE;
    return [x(low), y(box.top), x(high), y(box.bottom)];
  }

  it('covers the same source rectangle, inside the overlap but for half a grid pixel', () => {
    const stream = new RandomStream(11, 'test');
    const randomCrop = () =>
      crop(
        stream.integer(0, 100),
        stream.integer(0, 100),
        stream.integer(120, 400),
        stream.integer(120, 400),
        stream.chance(0.5) ? 1 : 0,
      );
    for (let round = 0; round < 300; round++) {
      const views = [randomCrop(), randomCrop()] as const;
      const grid = gridOf(...views);
      const x = stream.integer(0, grid.width);
      const y = stream.integer(0, grid.height);
      const width = stream.integer(1, grid.width - x + 1);
      const height = stream.integer(1, grid.height - y + 1);
      const [first, second] = views.map((view) =>
        toSource(boxInView({ x, y, width, height }, grid, view, SIDE), view),
      );
      expectClose(first, second);
      const { overlap, scaleX, scaleY } = grid;
      expectClose(first, [
        overlap.left + x / scaleX,
        overlap.top + y / scaleY,
        overlap.left + (x + width) / scaleX,
        overlap.top + (y + height) / scaleY,
      ]);
      expect(first[2]).toBeLessThanOrEqual(overlap.right + 0.5 / scaleX + 1e-9);
      expect(first[3]).toBeLessThanOrEqual(overlap.bottom + 0.5 / scaleY + 1e-9);
    }
  });

  it('is at least as large in either view as on the grid', () => {
    const views = [crop(0, 0, 100, 300, 0), crop(20, 30, 220, 110, 1)] as const;
    const grid = gridOf(...views);
    for (const view of views) {
      const { left, top, right, bottom } = boxInView({ x: 3, y: 5, width: 32, height: 40 }, grid, view, SIDE);
      expect(right - left).toBeGreaterThanOrEqual(32 - 1e-9);
      expect(bottom - top).toBeGreaterThanOrEqual(40 - 1e-9);
    }
  });
});

describe('jitterBox', () => {
  const box = { left: 10, top: 20, right: 30, bottom: 60 };

  it('shifts by shares of the side, then scales the side', () => {
    // Width 20: left 10 + 20 * 0.1 = 12, right 12 + 20 * 1.05 = 33. Height 40: top 20 - 2 = 18, bottom 18 + 36 = 54.
    const { left, top, right, bottom } = jitterBox(box, [1.1, 0.95, 1.05, 0.9]);
    expectClose([left, top, right, bottom], [12, 18, 33, 54]);
  });

  it('leaves the box alone with factors of 1', () => {
    expect(jitterBox(box, [1, 1, 1, 1])).toEqual(box);
  });
});

describe('iou', () => {
  it('is shared area over covered area', () => {
    const a = { left: 0, top: 0, right: 4, bottom: 4 };
    expect(iou(a, a)).toBe(1);
    expect(iou(a, { left: 2, top: 0, right: 6, bottom: 4 })).toBeCloseTo(8 / 24, 12);
    expect(iou(a, { left: 4, top: 0, right: 6, bottom: 4 })).toBe(0);
    expect(iou(a, { left: 6, top: 6, right: 8, bottom: 8 })).toBe(0);
  });
});
