import { describe, expect, it } from 'vitest';
import type { DetectionObjects } from '../../src/data/detection-records.js';
import { type DetectionPlan, planDetection, transformObjects } from '../../src/data/detection-transform.js';
import { shortestEdgeSize } from '../../src/data/shortest-edge.js';
import { decode, encode } from '../../src/pycocotools/mask/rle.js';

function objects(boxes: number[][], outlines?: NonNullable<DetectionObjects['outlines']>): DetectionObjects {
  return {
    ids: Float64Array.from(boxes, (_, i) => 100 + i),
    boxes: Float32Array.from(boxes.flat()),
    classes: Int32Array.from(boxes, (_, i) => i),
    crowd: new Uint8Array(boxes.length),
    ...(outlines && { outlines }),
  };
}

const plan = (from: [number, number], to: [number, number], flipped: boolean): DetectionPlan => ({
  from: { width: from[0], height: from[1] },
  to: { width: to[0], height: to[1] },
  flipped,
});

describe('shortestEdgeSize', () => {
  it.each([
    [480, 640, 800, 800, 1067],
    [640, 480, 800, 1067, 800],
    [427, 640, 800, 800, 1199],
    [333, 500, 800, 800, 1201],
    [300, 1000, 800, 400, 1333],
    [480, 640, 640, 640, 853],
    [375, 500, 672, 672, 896],
    [20, 4000, 800, 7, 1333],
    [4000, 20, 800, 1333, 7],
    [1, 4000, 800, 1, 1333],
  ])('%i x %i at %i is %i x %i', (height, width, shortEdge, newHeight, newWidth) => {
    expect(shortestEdgeSize(width, height, shortEdge, 1333)).toEqual({ width: newWidth, height: newHeight });
  });
});

describe('transformObjects', () => {
  it('mirrors boxes and polygons about the width', () => {
    const polygon = Float64Array.of(10, 10, 200, 10, 10, 300);
    const moved = transformObjects(
      objects([[10, 10, 200, 300]], [{ polygons: [polygon] }]),
      plan([400, 400], [400, 400], true),
    );
    expect([...moved.boxes]).toEqual([200, 10, 390, 300]);
    expect(moved.outlines).toEqual([{ polygons: [Float64Array.of(390, 10, 200, 10, 390, 300)] }]);
    expect([...polygon]).toEqual([10, 10, 200, 10, 10, 300]);
  });

  it('scales each axis by its own ratio of rounded sizes', () => {
    const moved = transformObjects(objects([[6.4, 4.8, 320, 240]]), plan([640, 427], [1199, 800], false));
    const [x, y] = [1199 / 640, 800 / 427];
    const corners = [Math.fround(6.4) * x, Math.fround(4.8) * y, 320 * x, 240 * y];
    expect(moved.boxes).toEqual(Float32Array.from(corners));
  });

  it('clips boxes and drops what has no area or no mask left, in all arrays alike', () => {
    const runs = (ones: number) => ({ runs: encode(new Uint8Array(600).fill(1, 0, ones), 20, 30) });
    const moved = transformObjects(
      objects(
        [
          [-5, -5, 40, 10],
          [30, 0, 35, 10],
          [1, 1, 2, 2],
          [3, 3, 9, 9],
          [3, 3, 9, 9],
        ],
        [runs(9), runs(9), { polygons: [] }, runs(0), runs(600)],
      ),
      plan([30, 20], [30, 20], false),
    );
    expect([...moved.ids]).toEqual([100, 104]);
    expect([...moved.boxes]).toEqual([0, 0, 30, 10, 3, 3, 9, 9]);
    expect([...moved.classes]).toEqual([0, 4]);
    expect(moved.outlines).toEqual([runs(9), runs(600)]);
  });

  it('resizes and mirrors runs by the nearest pixel', () => {
    // Columns 0 and 1 of 4, and row 0 of 2.
    const dense = Uint8Array.of(1, 0, 1, 0, 0, 0, 0, 0);
    const source = objects([[0, 0, 4, 2]], [{ runs: encode(dense, 2, 4) }]);
    const read = (size: [number, number], flipped: boolean): number[] => {
      const [outline] = transformObjects(source, plan([4, 2], size, flipped)).outlines ?? [];
      if (outline === undefined || !('runs' in outline)) throw new Error('runs were expected');
      return [...decode(outline.runs)];
    };
    expect(read([8, 2], false)).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(read([4, 2], true)).toEqual([0, 0, 0, 0, 1, 0, 1, 0]);
    expect(read([2, 3], false)).toEqual([1, 0, 0, 0, 0, 0]);
  });
});

describe('planDetection', () => {
  it('depends on seed, epoch and image only, draws every size and mirrors half', () => {
    const augmentation = { shortEdges: [32, 48, 64], maxSize: 200, flipProbability: 0.5 };
    const at = (image: number, epoch = 0) =>
      planDetection(augmentation, { width: 80, height: 60 }, { seed: 1, epoch, image });
    const plans = Array.from({ length: 600 }, (_, image) => at(image));
    expect(at(17)).toEqual(plans[17]);
    expect(Array.from({ length: 20 }, (_, image) => at(image, 1))).not.toEqual(plans.slice(0, 20));
    for (const side of augmentation.shortEdges) {
      const share = plans.filter(({ to }) => to.height === side).length / plans.length;
      expect(Math.abs(share - 1 / 3)).toBeLessThan(0.07);
    }
    expect(Math.abs(plans.filter(({ flipped }) => flipped).length / plans.length - 0.5)).toBeLessThan(0.07);
  });
});
