import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageFiles } from '../../../src/data/image-files.js';
import { inView, renderViews, squareAround, viewAround } from '../../../src/recipes/show/squares.js';
import { picture, temporaryFolder } from '../../image/pictures.js';

describe('squareAround', () => {
  it('is the largest square, in the middle unless the point is outside of it', () => {
    const square = { top: 0, width: 60, height: 60, flipped: false };
    expect(squareAround(100, 60, [50.5, 30.5])).toEqual({ ...square, left: 20 });
    expect(squareAround(100, 60, [3.5, 59.5])).toEqual({ ...square, left: 3 });
    expect(squareAround(100, 60, [99.5, 0.5])).toEqual({ ...square, left: 40 });
    expect(squareAround(60, 100, [0.5, 99.5])).toEqual({ ...square, left: 0, top: 40 });
  });
});

describe('viewAround', () => {
  it('holds the point, wherever it is, and lies inside the image', () => {
    const flipped = new Set<boolean>();
    for (let seed = 0; seed < 200; seed++) {
      const [x, y] = [(seed % 20) * 5 + 0.5, Math.floor(seed / 20) * 6.5 + 0.5];
      const { left, top, width, height, flipped: isFlipped } = viewAround(seed, 100, 60, [x, y]);
      expect(left >= 0 && top >= 0 && left + width <= 100 && top + height <= 60).toBe(true);
      expect(x >= left && x <= left + width && y >= top && y <= top + height).toBe(true);
      flipped.add(isFlipped);
    }
    expect(flipped.size).toBe(2);
    expect(viewAround(3, 100, 60, [50, 30])).toEqual(viewAround(3, 100, 60, [50, 30]));
    expect(viewAround(4, 100, 60, [50, 30])).not.toEqual(viewAround(3, 100, 60, [50, 30]));
  });
});

it('a point of the image is where its pixel is in the view, mirrored or not', async () => {
  const folder = await temporaryFolder();
  const [width, height, side] = [200, 120, 64];
  const at = [131, 47] as const;
  const data = new Uint8Array(width * height * 3);
  // A white spot of 5 x 5 pixels around the point.
  for (let y = at[1] - 2; y <= at[1] + 2; y++)
    data.fill(255, (y * width + at[0] - 2) * 3, (y * width + at[0] + 3) * 3);
  await picture({ data, width, height }).png().toFile(join(folder, 'spot.png'));
  const images = await imageFiles(folder, ['spot.png']);
  const point = [at[0] + 0.5, at[1] + 0.5] as const;
  const crops = [0, 1, 2, 3, 4, 5].map((seed) => viewAround(seed, width, height, point));
  expect(new Set(crops.map(({ flipped }) => flipped)).size).toBe(2);
  const views = await renderViews(images, 0, [...crops, squareAround(width, height, point)], side);
  let checked = 0;
  for (const [i, view] of views.entries()) {
    const crop = [...crops, squareAround(width, height, point)][i];
    let [sum, x, y] = [0, 0, 0];
    for (let p = 0; p < side * side; p++) {
      sum += view[3 * p];
      x += view[3 * p] * ((p % side) + 0.5);
      y += view[3 * p] * (Math.floor(p / side) + 0.5);
    }
    const [u, v] = inView(point, crop, side);
    // The spot may be cut by the edge of a view.
    if (u > 4 && v > 4 && u < side - 4 && v < side - 4) {
      checked++;
      expect(Math.hypot(x / sum - u, y / sum - v)).toBeLessThan(0.3);
    }
  }
  expect(checked).toBeGreaterThan(3);
});
