/** RoIAlign's weights: golden values of torchvision, and a slow literal RoIAlign over random maps and boxes. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { type RoiAlignOptions, roiAlignWeights } from '../../src/ops/roi-align-weights.js';

const SCRL: RoiAlignOptions = {
  height: 7,
  width: 7,
  spatialScale: 1 / 32,
  samplingRatio: -1,
  aligned: false,
};

/** Weights times map: [R, P P] */
function pool(boxes: number[][], map: number[], options: RoiAlignOptions): number[] {
  const weights = roiAlignWeights(Float32Array.from(boxes.flat()), options);
  const rows = weights.length / map.length;
  return Array.from({ length: rows }, (_, r) =>
    map.reduce((sum, value, cell) => sum + value * weights[r * map.length + cell], 0),
  );
}

describe('golden values on the map 7 row + column', () => {
  const map = Array.from({ length: 49 }, (_, cell) => cell);
  it.each([
    [[0, 0, 224, 224], 27.428571, 24],
    [[0, 0, 32, 32], 4, 0],
    [[192, 192, 224, 224], 48, 48],
    [[16, 48, 112, 80], 16, 12],
    [[100, 100, 100, 100], 29, 0],
    [[10.5, 20.25, 75.75, 190], 24.34375, 20.34375],
    [[0, 0, 224, 32], 6.928571, 3],
  ])('box %j', (box, plain, aligned) => {
    expect(pool([box], map, SCRL)[0]).toBeCloseTo(plain, 4);
    expect(pool([box], map, { ...SCRL, aligned: true })[0]).toBeCloseTo(aligned, 4);
  });
});

/** Straight from the definition: each sample of each bin is interpolated from its four cells. [P P] */
function literalRoiAlign(box: number[], map: number[], options: RoiAlignOptions): number[] {
  const { height, width, spatialScale, samplingRatio, aligned, outputSize: p = 1 } = options;
  const shift = aligned ? 0.5 : 0;
  const [left, top, right, bottom] = box.map((edge) => edge * spatialScale - shift);
  const side = (low: number, high: number) => (aligned ? high - low : Math.max(high - low, 1));
  const [binWidth, binHeight] = [side(left, right) / p, side(top, bottom) / p];
  const countX = samplingRatio > 0 ? samplingRatio : Math.ceil(binWidth);
  const countY = samplingRatio > 0 ? samplingRatio : Math.ceil(binHeight);

  const at = (sampleX: number, sampleY: number) => {
    if (sampleY < -1 || sampleY > height || sampleX < -1 || sampleX > width) return 0;
    const y = Math.min(Math.max(sampleY, 0), height - 1);
    const x = Math.min(Math.max(sampleX, 0), width - 1);
    const [y0, x0] = [Math.floor(y), Math.floor(x)];
    const [y1, x1] = [Math.min(y0 + 1, height - 1), Math.min(x0 + 1, width - 1)];
    const [dy, dx] = [y - y0, x - x0];
    const upper = map[y0 * width + x0] * (1 - dx) + map[y0 * width + x1] * dx;
    const lower = map[y1 * width + x0] * (1 - dx) + map[y1 * width + x1] * dx;
    return upper * (1 - dy) + lower * dy;
  };
  const result: number[] = [];
  for (let by = 0; by < p; by++) {
    for (let bx = 0; bx < p; bx++) {
      let sum = 0;
      for (let iy = 0; iy < countY; iy++) {
        for (let ix = 0; ix < countX; ix++) {
          sum += at(
            left + binWidth * (bx + (ix + 0.5) / countX),
            top + binHeight * (by + (iy + 0.5) / countY),
          );
        }
      }
      result.push(sum / Math.max(countX * countY, 1));
    }
  }
  return result;
}

describe('equals a literal RoIAlign', () => {
  it.each([
    { aligned: false, samplingRatio: -1, outputSize: 1 },
    { aligned: true, samplingRatio: -1, outputSize: 1 },
    { aligned: false, samplingRatio: 3, outputSize: 1 },
    { aligned: false, samplingRatio: -1, outputSize: 2 },
    { aligned: true, samplingRatio: 2, outputSize: 3 },
  ])('%j', (mode) => {
    const stream = new RandomStream(3, 'test');
    const options = { ...mode, height: 5, width: 8, spatialScale: 1 / 16 };
    for (let round = 0; round < 60; round++) {
      const map = Array.from({ length: 40 }, () => stream.between(-1, 1));
      // Quarters of a pixel are exact in float32, so both sides see the same boxes; some leave the map on all sides.
      const quarter = (low: number, high: number) => stream.integer(4 * low, 4 * high) / 4;
      const [left, top] = [quarter(-40, 150), quarter(-40, 100)];
      const box = [left, top, left + quarter(0, 100), top + quarter(0, 100)];
      const expected = literalRoiAlign(box, map, options);
      pool([box], map, options).forEach((value, bin) => {
        expect(value).toBeCloseTo(expected[bin], 5);
      });
    }
  });
});

describe('the weights of a box', () => {
  const sums = (boxes: number[][], options = SCRL) => pool(boxes, new Array(49).fill(1), options);

  it('add up to 1 inside the map, and to the share of samples that are not far outside', () => {
    expect(sums([[3, 40, 220, 130]])[0]).toBeCloseTo(1, 6);
    // Three cells wide from x = -2: samples at -1.5, -0.5 and 0.5, of which the first is too far out.
    expect(sums([[-64, 0, 32, 32]])[0]).toBeCloseTo(2 / 3, 6);
    expect(sums([[400, 0, 450, 32]])[0]).toBe(0);
  });

  it('are mirrored with the box when the pooling is aligned', () => {
    const map = Array.from({ length: 49 }, (_, cell) => cell % 7);
    const aligned = { ...SCRL, aligned: true };
    const [left, right] = [20, 150];
    const [value] = pool([[left, 10, right, 90]], map, aligned);
    const [mirrored] = pool([[224 - right, 10, 224 - left, 90]], map, aligned);
    expect(value + mirrored).toBeCloseTo(6, 5);
  });

  it('sample a side of two cells twice, although in double precision it may be longer', () => {
    const [left, right] = [0.413, 64.413].map(Math.fround);
    expect((right - left) / 32).toBeGreaterThan(2);
    expect(Math.fround(Math.fround(right / 32) - Math.fround(left / 32))).toBe(2);
    // One cell high from the top: both rows have half of the weight, and their sum is that of the columns.
    const weights = roiAlignWeights(Float32Array.from([left, 0, right, 32]), SCRL);
    const columns = Array.from({ length: 7 }, (_, x) => weights[x] + weights[7 + x]);
    // Samples half a cell and one and a half cells from the start.
    const start = left / 32;
    [(0.5 - start) / 2, 0.5, (0.5 + start) / 2].forEach((expected, x) => {
      expect(columns[x]).toBeCloseTo(expected, 6);
    });
    expect(columns[3]).toBe(0);
  });
});

it('gives padding rows zeros, with flags that serve both views', () => {
  const box = [0, 0, 64, 64];
  const boxes = Float32Array.from([box, box, box, box].flat());
  const weights = roiAlignWeights(boxes, SCRL, Uint8Array.from([1, 0]));
  const sums = [0, 1, 2, 3].map((r) => weights.subarray(49 * r, 49 * (r + 1)).reduce((a, b) => a + b, 0));
  expect(sums).toEqual([1, 0, 1, 0]);
});

it('accepts no boxes, and refuses lengths that do not fit', () => {
  expect(roiAlignWeights(new Float32Array(0), SCRL, new Uint8Array(0)).length).toBe(0);
  expect(() => roiAlignWeights(new Float32Array(6), SCRL)).toThrow('6 numbers are no boxes [R, 4]');
  expect(() => roiAlignWeights(new Float32Array(12), SCRL, new Uint8Array(2))).toThrow(
    '2 flags do not fit 3 boxes',
  );
});
