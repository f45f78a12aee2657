import { describe, expect, it } from 'vitest';

import { drawPair, type ViewDraw } from '../../src/views/pair.js';
import { NO_PHOTOMETRIC } from '../../src/views/photometric-draws.js';
import { workingGrid } from '../../src/views/working-grid.js';

const SIZE = { width: 500, height: 375 };

/** The shorter side of what both views show, on the working grid. */
function sharedSide([first, second]: readonly [ViewDraw, ViewDraw]): number {
  const grid = workingGrid(first.crop, second.crop, 224);
  return grid === undefined ? 0 : Math.min(grid.width, grid.height);
}

describe('drawPair', () => {
  it('is a function of seed, epoch and image', () => {
    const pair = drawPair(1, 2, 3, SIZE, 224);
    expect(drawPair(1, 2, 3, SIZE, 224)).toEqual(pair);
    for (const other of [
      drawPair(9, 2, 3, SIZE, 224),
      drawPair(1, 9, 3, SIZE, 224),
      drawPair(1, 2, 9, SIZE, 224),
    ]) {
      expect(other).not.toEqual(pair);
    }
    expect(pair[0].crop).not.toEqual(pair[1].crop);
  });

  it('mirrors each view half of the time, independently', () => {
    const counts = [0, 0, 0, 0];
    for (let image = 0; image < 8000; image++) {
      const [a, b] = drawPair(1, 0, image, SIZE, 224);
      counts[(a.crop.flipped ? 1 : 0) + (b.crop.flipped ? 2 : 0)]++;
    }
    for (const count of counts) expect(Math.abs(count / 8000 - 0.25)).toBeLessThan(0.02);
  });

  it('takes the crop scale into account', () => {
    for (let image = 0; image < 200; image++) {
      for (const { crop } of drawPair(1, 0, image, SIZE, 224, { cropScale: [0.08, 0.1] })) {
        const share = (crop.width * crop.height) / (500 * 375);
        expect(share > 0.078 && share < 0.102).toBe(true);
      }
    }
  });

  it('ensures overlap without changing flips and colours, nor pairs that overlap anyway', () => {
    const minSize = 96;
    const cropScale = [0.2, 0.4] as const;
    let redrawn = 0;
    for (let image = 0; image < 500; image++) {
      const plain = drawPair(1, 0, image, SIZE, 224, { cropScale });
      const ensured = drawPair(1, 0, image, SIZE, 224, { cropScale, ensureOverlap: { minSize } });
      const enough = sharedSide(plain) > minSize;
      expect(sharedSide(ensured)).toBeGreaterThan(minSize);
      if (enough) expect(ensured).toEqual(plain);
      else redrawn++;
      for (const view of [0, 1]) {
        expect(ensured[view].photometric).toEqual(plain[view].photometric);
        expect(ensured[view].crop.flipped).toBe(plain[view].crop.flipped);
      }
    }
    expect(redrawn).toBeGreaterThan(50);
  });

  it('gives up after a bounded number of tries', () => {
    const [a, b] = drawPair(1, 0, 0, SIZE, 224, { cropScale: [0.2, 0.2], ensureOverlap: { minSize: 1000 } });
    expect([a.crop.width > 0, b.crop.width > 0]).toEqual([true, true]);
  });

  it('`simple` crops and mirrors, `none` shows the same centre twice', () => {
    const simple = drawPair(1, 0, 0, SIZE, 224, { type: 'simple' });
    expect(simple.map(({ photometric }) => photometric)).toEqual([NO_PHOTOMETRIC, NO_PHOTOMETRIC]);
    expect(simple.map(({ crop }) => crop)).toEqual(drawPair(1, 0, 0, SIZE, 224).map(({ crop }) => crop));
    const centre = { top: 24, left: 86, height: 328, width: 328, flipped: false };
    const none = drawPair(1, 0, 0, SIZE, 224, { type: 'none' });
    expect(none.map(({ crop }) => crop)).toEqual([centre, centre]);
  });
});
