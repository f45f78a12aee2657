/**
 * Matched boxes of whole batches: properties over seeded random crops, the statistics of an independent simulation of
 * the reference, and what happens when there is no room.
 */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import {
  type BoxSamplerOptions,
  type SampledBoxes,
  sampleBoxes,
} from '../../../src/models/ssl/box-sampler.js';

const DEFAULTS: BoxSamplerOptions = {
  boxesPerImage: 10,
  iouThreshold: 0.5,
  minSize: 32,
  gridBased: true,
  jitter: undefined,
  onExhausted: 'drop',
  inputSize: 224,
};

/** RandomResizedCrop of a 500 x 375 image: area from `scale` to 1, log-uniform aspect in 3/4 to 4/3; then a flip. */
function randomCrop(stream: RandomStream, scale: number): number[] {
  const [width, height] = [500, 375];
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * stream.between(scale, 1);
    const aspect = Math.exp(stream.between(Math.log(3 / 4), Math.log(4 / 3)));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w > width || h > height) continue;
    const flipped = stream.chance(0.5) ? 1 : 0;
    return [stream.integer(0, height - h + 1), stream.integer(0, width - w + 1), h, w, flipped];
  }
  return [0, 0, 375, 500, stream.chance(0.5) ? 1 : 0];
}

function randomCrops(count: number, scale = 0.2, seed = 1): Int32Array {
  const rows = Array.from({ length: 2 * count }, (_, row) =>
    randomCrop(new RandomStream(seed, 'crop', 0, row), scale),
  );
  return Int32Array.from(rows.flat());
}

function sample(crops: Int32Array, options: Partial<BoxSamplerOptions> = {}): SampledBoxes {
  return sampleBoxes({
    crops,
    count: crops.length / 10,
    options: { ...DEFAULTS, ...options },
    stream: (image) => new RandomStream(5, 'boxes', 0, image),
  });
}

/** [left, top, right, bottom] of box k of an image in view 0 or 1 */
function boxOf({ boxes, valid }: SampledBoxes, view: number, row: number): number[] {
  const from = 4 * (view * valid.length + row);
  return Array.from(boxes.subarray(from, from + 4));
}

function validRows({ valid }: SampledBoxes): number[] {
  return Array.from(valid.keys()).filter((row) => valid[row] === 1);
}

function iou(a: number[], b: number[]): number {
  const w = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const h = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = ([l, t, r, b]: number[]) => (r - l) * (b - t);
  return (w * h) / (area(a) + area(b) - w * h);
}

describe.each([
  ['cells of a grid', true],
  ['anywhere', false],
])('sampled boxes, %s', (_, gridBased) => {
  const count = 200;
  const crops = randomCrops(count);
  const sampled = sample(crops, { gridBased });
  const rows = validRows(sampled);

  it('lie in both views, and are as large as asked in both', () => {
    expect(rows.length).toBeGreaterThan(1500);
    for (const row of rows) {
      for (const view of [0, 1]) {
        const [left, top, right, bottom] = boxOf(sampled, view, row);
        expect(Math.min(left, top)).toBeGreaterThanOrEqual(0);
        expect(Math.max(right, bottom)).toBeLessThanOrEqual(224);
        // Clipping takes up to half a grid pixel, and the box has at least 32 of these.
        expect(Math.min(right - left, bottom - top)).toBeGreaterThan(31.5 - 1e-4);
      }
    }
  });

  it('are the same source rectangle in both views, flipped or not, but for clipping', () => {
    const toSource = (view: number, row: number) => {
      const image = Math.floor(row / DEFAULTS.boxesPerImage);
      const from = 5 * (view * count + image);
      const [top, left, height, width, flipped] = crops.subarray(from, from + 5);
      const [l, t, r, b] = boxOf(sampled, view, row);
      const [low, high] = flipped === 1 ? [224 - r, 224 - l] : [l, r];
      return {
        edges: [
          left + (low * width) / 224,
          top + (t * height) / 224,
          left + (high * width) / 224,
          top + (b * height) / 224,
        ],
        pixel: [width / 224, height / 224],
      };
    };
    let exact = 0;
    for (const row of rows) {
      const [first, second] = [toSource(0, row), toSource(1, row)];
      const differences = first.edges.map((edge, i) => Math.abs(edge - second.edges[i]));
      if (Math.max(...differences) < 1e-3) exact++;
      // Half a pixel of the coarser view, in source pixels.
      differences.forEach((difference, i) => {
        const limit = 0.5 * Math.max(first.pixel[i % 2], second.pixel[i % 2]);
        expect(difference).toBeLessThan(limit + 1e-3);
      });
    }
    expect(exact / rows.length).toBeGreaterThan(0.8);
  });

  it('overlap by less than the threshold', () => {
    for (const row of rows) {
      const first = row - (row % DEFAULTS.boxesPerImage);
      for (let other = first; other < row; other++) {
        // The candidate was compared before clipping, hence the margin.
        expect(iou(boxOf(sampled, 0, row), boxOf(sampled, 0, other))).toBeLessThan(0.51);
      }
    }
  });
});

// 3000 pairs of crops; the expected figures come from an independent simulation of 6000 (image of 500 x 375).
describe('statistics', () => {
  const crops = randomCrops(3000, 0.2, 2);

  /** Sides are those in the coarser view, in which the boxes are drawn; areas are shares of view 1. */
  function summary(sampled: SampledBoxes) {
    const { counters, valid } = sampled;
    const rows = validRows(sampled);
    let area = 0;
    const sides = rows.flatMap((row) => {
      const [w1, h1, w2, h2] = [0, 1].flatMap((view) => {
        const [left, top, right, bottom] = boxOf(sampled, view, row);
        return [right - left, bottom - top];
      });
      area += (w1 * h1) / 224 ** 2 / rows.length;
      return [Math.min(w1, w2), Math.min(h1, h2)];
    });
    sides.sort((a, b) => a - b);
    return {
      usable: counters.usableImages / (valid.length / DEFAULTS.boxesPerImage),
      attempts: counters.attempts / (counters.boxes + counters.dropped),
      side: sides.reduce((sum, side) => sum + side, 0) / sides.length,
      median: sides[Math.floor(sides.length / 2)],
      upper: sides[Math.floor(sides.length * 0.9)],
      area,
    };
  }

  function expectWithin(value: number, expected: number, tolerance: number): void {
    expect(value).toBeGreaterThan(expected - tolerance);
    expect(value).toBeLessThan(expected + tolerance);
  }

  it('of the default: boxes in cells', () => {
    const sampled = sample(crops);
    const { usable, attempts, side, median, upper, area } = summary(sampled);
    expectWithin(usable, 0.987, 0.006);
    expectWithin(sampled.counters.noOverlap / 3000, 0.005, 0.004);
    expectWithin(sampled.counters.tooSmall / 3000, 0.008, 0.006);
    expectWithin(attempts, 1.2, 0.05);
    expectWithin(side, 54, 1.5);
    expectWithin(median, 42, 1.5);
    expectWithin(upper, 96, 3);
    expectWithin(area, 0.08, 0.005);
    expectWithin(sampled.counters.dropped / sampled.counters.boxes, 0.0009, 0.0008);
  });

  it('of uniform boxes', () => {
    const { attempts, side, area } = summary(sample(crops, { gridBased: false }));
    expectWithin(attempts, 2.03, 0.15);
    expectWithin(side, 85, 2);
    expectWithin(area, 0.18, 0.01);
  });

  it('of smaller crops', () => {
    const { usable, attempts } = summary(sample(randomCrops(3000, 0.08)));
    expectWithin(usable, 0.941, 0.015);
    expectWithin(attempts, 1.78, 0.15);
  });

  it('of a lower threshold', () => {
    const { attempts } = summary(sample(crops, { iouThreshold: 0.3 }));
    expectWithin(attempts, 2.1, 0.2);
  });
});

describe('no room for all boxes', () => {
  // The overlap is 40 x 40 pixels in both views: two boxes of 32 or more always share 24 x 24, an IoU above 0.3.
  const crops = Int32Array.from([0, 0, 224, 224, 0, 184, 184, 224, 224, 1]);

  it('drops what does not fit, and pads', () => {
    const { boxes, valid, counters } = sample(crops, { iouThreshold: 0.3, boxesPerImage: 3 });
    expect(Array.from(valid)).toEqual([1, 0, 0]);
    expect(counters).toEqual({
      usableImages: 1,
      noOverlap: 0,
      tooSmall: 0,
      attempts: 101,
      forced: 0,
      dropped: 2,
      boxes: 1,
    });
    expect(Array.from(boxes.subarray(4, 12))).toEqual(new Array(8).fill(0));
    expect(boxes[0]).toBeGreaterThanOrEqual(184);
  });

  it('keeps the last candidate when asked to, as the reference does', () => {
    const { valid, counters } = sample(crops, { iouThreshold: 0.3, boxesPerImage: 3, onExhausted: 'keep' });
    expect(Array.from(valid)).toEqual([1, 1, 1]);
    expect(counters).toMatchObject({ attempts: 101, forced: 2, dropped: 0, boxes: 3 });
  });

  it('takes every first candidate with a threshold of 1', () => {
    const { counters } = sample(crops, { iouThreshold: 1, boxesPerImage: 3 });
    expect(counters).toMatchObject({ attempts: 3, boxes: 3 });
  });
});

describe('images without boxes', () => {
  it('counts crops that are apart, and overlaps not larger than the smallest box', () => {
    // An overlap of 33 x 33 is the smallest one in which a box of 32 is drawn.
    const view1 = [0, 0, 224, 224, 0];
    const seconds = [
      [0, 300, 224, 224, 0],
      [192, 192, 224, 224, 0],
      [191, 191, 224, 224, 0],
    ];
    const crops = Int32Array.from([view1, view1, view1, ...seconds].flat());
    const { valid, counters } = sample(crops, { boxesPerImage: 1 });
    expect(counters).toMatchObject({ noOverlap: 1, tooSmall: 1, usableImages: 1, boxes: 1 });
    expect(Array.from(valid)).toEqual([0, 0, 1]);
  });

  it('gives an empty batch empty results', () => {
    const sampled = sample(new Int32Array(0));
    expect([sampled.boxes.length, sampled.valid.length, sampled.counters.boxes]).toEqual([0, 0, 0]);
  });
});

describe('jitter', () => {
  it('moves the boxes of view 2 only, by no more than its ratio, and keeps them in the view', () => {
    const crops = randomCrops(50);
    const options = { boxesPerImage: 1 } as const;
    const [plain, jittered] = [sample(crops, options), sample(crops, { ...options, jitter: 0.1 })];
    let moved = 0;
    for (const row of validRows(plain)) {
      expect(boxOf(jittered, 0, row)).toEqual(boxOf(plain, 0, row));
      const [before, after] = [boxOf(plain, 1, row), boxOf(jittered, 1, row)];
      const [width, height] = [before[2] - before[0], before[3] - before[1]];
      expect(Math.abs(after[0] - before[0])).toBeLessThanOrEqual(0.1 * width + 0.5);
      expect(Math.abs(after[3] - before[3])).toBeLessThanOrEqual(0.2 * height + 0.5);
      expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...after)).toBeLessThanOrEqual(224);
      if (after[0] !== before[0]) moved++;
    }
    expect(moved).toBeGreaterThan(30);
  });
});

it('depends on the streams of the images, not on the batch around them', () => {
  const crops = randomCrops(6);
  const all = sample(crops);
  // Image 4 on its own, with its own stream.
  const alone = sampleBoxes({
    crops: Int32Array.from([...crops.subarray(20, 25), ...crops.subarray(50, 55)]),
    count: 1,
    options: DEFAULTS,
    stream: () => new RandomStream(5, 'boxes', 0, 4),
  });
  expect(boxOf(alone, 1, 7)).toEqual(boxOf(all, 1, 47));
});

it('says what is wrong with the crops', () => {
  const stream = () => new RandomStream(1, 'x');
  expect(() => sampleBoxes({ crops: new Int32Array(10), count: 2, options: DEFAULTS, stream })).toThrow(
    'crops of 2 images need 20 numbers, not 10',
  );
});
