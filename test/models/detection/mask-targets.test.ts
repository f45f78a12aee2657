/** Mask targets: Detectron2's pixels for polygons, a literal RoIAlign for runs. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import { maskTarget, maskTargets } from '../../../src/models/detection/mask-targets.js';
import { roiAlignWeights } from '../../../src/ops/roi-align-weights.js';
import { encode } from '../../../src/pycocotools/mask/rle.js';
import { readOpVectors } from '../../helpers/op-vectors.js';

const { mask_targets: golden } = readOpVectors();

/** Rows of the drawing, from the top. */
function rowsOf(target: Uint8Array, size: number): string[] {
  return Array.from({ length: size }, (_, y) => target.subarray(y * size, (y + 1) * size).join(''));
}

describe('polygons', () => {
  it.each(golden.cases.map((entry, i) => ({ i, ...entry })))(
    'are drawn as in Detectron2, case $i',
    (entry) => {
      const target = maskTarget({ polygons: entry.polygons }, Float32Array.from(entry.box), 28);
      expect(rowsOf(target, 28)).toEqual(entry.rows);
      expect(target.reduce((sum, value) => sum + value, 0)).toBe(entry.ones);
    },
  );

  it('have the vectors of the specification', () => {
    const rectangle = { polygons: [[10, 10, 30, 10, 30, 40, 10, 40]] };
    expect(rowsOf(maskTarget(rectangle, Float32Array.of(5, 5, 35, 45), 7), 7)).toEqual([
      '0000000',
      ...new Array<string>(5).fill('0111110'),
      '0000000',
    ]);
    const triangle = { polygons: [[10, 10, 30, 10, 20, 40]] };
    expect(rowsOf(maskTarget(triangle, Float32Array.of(10, 10, 30, 40), 7), 7)).toEqual(
      '1111111 0111110 0111110 0011100 0011100 0001000 0001000'.split(' '),
    );
  });
});

/** A mask of random blobs, column-major. */
function blobs(stream: RandomStream, height: number, width: number): Uint8Array {
  const mask = new Uint8Array(height * width);
  for (let k = 0; k < 4; k++) {
    const [cx, cy, r] = [stream.between(0, width), stream.between(0, height), stream.between(2, 14)];
    for (let x = 0; x < width; x++)
      for (let y = 0; y < height; y++) if (Math.hypot(x - cx, y - cy) < r) mask[x * height + y] = 1;
  }
  return mask;
}

describe('runs', () => {
  const [height, width, size] = [40, 50, 9];

  it('are pooled as a literal RoIAlign of the mask', () => {
    const stream = new RandomStream(1, 'mask targets');
    let ones = 0;
    for (let round = 0; round < 60; round++) {
      const mask = blobs(stream, height, width);
      const [x, y] = [stream.between(-5, 45), stream.between(-5, 35)];
      const box = Float32Array.of(x, y, x + stream.between(0.5, 40), y + stream.between(0.5, 30));
      const weights = roiAlignWeights(box, {
        height,
        width,
        spatialScale: 1,
        samplingRatio: 0,
        aligned: true,
        outputSize: size,
      });
      const target = maskTarget({ runs: encode(mask, height, width) }, box, size);
      for (let bin = 0; bin < size * size; bin++) {
        let value = 0;
        for (let cell = 0; cell < height * width; cell++)
          value +=
            weights[bin * height * width + cell] * mask[(cell % width) * height + Math.floor(cell / width)];
        // Weights of one half and nothing else sum up to it with an error.
        if (Math.abs(value - 0.5) > 1e-5) expect(target[bin]).toBe(value >= 0.5 ? 1 : 0);
        ones += target[bin];
      }
    }
    expect(ones).toBeGreaterThan(500);
  });

  it('may be empty, full, or outside of the box', () => {
    const box = Float32Array.of(10, 10, 30, 30);
    const sum = (mask: Uint8Array, at = box) =>
      maskTarget({ runs: encode(mask, height, width) }, at, size).reduce((a, b) => a + b, 0);
    expect(sum(new Uint8Array(height * width))).toBe(0);
    expect(sum(new Uint8Array(height * width).fill(1))).toBe(81);
    expect(sum(new Uint8Array(height * width).fill(1), Float32Array.of(60, 10, 80, 30))).toBe(0);
    const pixel = new Uint8Array(height * width);
    pixel[20 * height + 20] = 1;
    // A box as large as the pixel: near its corners three neighbours weigh more.
    expect(sum(pixel, Float32Array.of(20, 20, 21, 21))).toBe(49);
  });

  it('agree with polygons away from the outline', () => {
    const mask = new Uint8Array(height * width);
    for (let x = 10; x < 30; x++) mask.fill(1, x * height + 8, x * height + 26);
    const box = Float32Array.of(4, 4, 40, 36);
    const drawn = maskTarget({ polygons: [[10, 8, 30, 8, 30, 26, 10, 26]] }, box, 28);
    const pooled = maskTarget({ runs: encode(mask, height, width) }, box, 28);
    const differing = drawn.reduce((count, value, i) => count + Math.abs(value - pooled[i]), 0);
    // The outline of the drawing has about 60 cells.
    expect(differing).toBeLessThan(32);
  });
});

it('draws the outline of each box’s own object', () => {
  const outlines = [{ polygons: [[0, 0, 4, 0, 4, 4, 0, 4]] }, { polygons: [[4, 4, 8, 4, 8, 8, 4, 8]] }];
  const box = [0, 0, 8, 8];
  const targets = maskTargets(outlines, Float32Array.from([...box, ...box]), Int32Array.of(1, 0), 2);
  expect([...targets]).toEqual([0, 0, 0, 1, 1, 0, 0, 0]);
  expect(maskTargets(outlines, new Float32Array(0), new Int32Array(0), 28).length).toBe(0);
});
