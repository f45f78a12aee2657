/**
 * Weights, images, objects and the order of sampling of the detectors' golden runs, regenerated from a hash of a counter
 * (`u`; v = 2u - 1). The runs themselves are in test/golden/detection: Detectron2 in float64, four training steps of two
 * images, then inference.
 */

import { crc32 } from 'node:zlib';
import { elementCount } from '../../../src/core/array.js';
import type { Rank } from '../../../src/models/detection/label-sampler.js';
import type { Objects } from '../../../src/models/detection/roi-sampler.js';
import { u } from '../../helpers/counter-hash.js';

/** What the golden runs set; everything else is Detectron2's default. */
export const GOLDEN = {
  classes: 5,
  channels: { fpn: 64, boxHead: 256, boxConvs: 64, maskHead: 64 },
  anchorSample: { count: 64, positiveFraction: 0.5 },
  roiSample: { count: 32, positiveFraction: 0.25 },
  /** Per level before NMS, per image after it. */
  proposals: { train: { before: 200, after: 100 }, test: { before: 100, after: 50 } },
  detections: { scoreThreshold: 0.02, keep: 20 },
  /** Red, green, blue. */
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
  learningRates: [2e-7, 1.001e-4, 2e-4, 2e-5],
  images: [
    { height: 128, width: 160 },
    { height: 160, width: 136 },
  ],
  /** Sides of the padded batch. */
  padded: 160,
  /** Of the images of step 4, which are not trained on. */
  outputs: [
    { height: 128, width: 160 },
    { height: 240, width: 204 },
  ],
} as const;

/** The gain of a layer's weights: that of the first part of the name that matches. */
const GAINS: readonly (readonly [part: RegExp, gain: number])[] = [
  [/shortcut\.weight$/, 1],
  [/^backbone\.bottom_up\./, Math.SQRT2],
  [/^backbone\.fpn_/, 1],
  [/rpn_head\.conv\./, Math.SQRT2],
  [/objectness_logits/, 0.6],
  [/anchor_deltas/, 0.15],
  [/box_head\./, Math.SQRT2],
  [/cls_score/, 0.7],
  [/bbox_pred/, 0.5],
  [/mask_fcn|deconv/, Math.SQRT2],
  [/mask_head\.predictor/, 0.7],
];

/**
 * A tensor of the state dict.
 *
 * @param key, shape Detectron2's; filters OIHW, the transposed convolution [in, out, 2, 2], linear weights [out, in]
 * @throws Error for a key that no rule covers
 */
export function goldenTensor(key: string, shape: readonly number[]): Float32Array {
  if (key.endsWith('num_batches_tracked')) return new Float32Array(elementCount(shape));
  const seed = crc32(`detector.${key}`);
  const value = goldenValue(key, shape);
  return Float32Array.from({ length: elementCount(shape) }, (_, i) => value(2 * u(i, seed) - 1));
}

function goldenValue(key: string, shape: readonly number[]): (v: number) => number {
  if (key.endsWith('running_mean')) return (v) => 0.1 * v;
  if (key.endsWith('running_var')) return (v) => 1 + 0.3 * v;
  if (key.endsWith('conv3.norm.weight')) return (v) => (1 + 0.1 * v) / 4;
  if (key.endsWith('norm.weight')) return (v) => 1 + 0.1 * v;
  if (key.endsWith('bias')) return (v) => 0.1 * v;
  const gain = GAINS.find(([part]) => part.test(key))?.[1];
  if (gain === undefined) throw new Error(`golden inputs: no gain for ${key}`);
  const fan = key.includes('deconv') ? shape[0] : elementCount(shape.slice(1));
  return (v) => v * gain * Math.sqrt(3 / fan);
}

/** Seed of an image's data. */
function imageSeed(seed: number, step: number, image: number): number {
  return 1000 * seed + 10 * step + image;
}

/** @returns [H, W, 3] red, green, blue */
export function goldenImage(seed: number, step: number, image: number): Uint8Array {
  const { height, width } = GOLDEN.images[image];
  const s = imageSeed(seed, step, image);
  const pixels = new Uint8Array(height * width * 3);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const fine = 64 * u((c * height + y) * width + x, s);
        const coarse = 192 * u((c * 100 + Math.floor(y / 16)) * 100 + Math.floor(x / 16), s + 500_000);
        pixels[(y * width + x) * 3 + c] = Math.floor(fine + coarse);
      }
  return pixels;
}

/** Both images of a step, normalised, then padded with zeros. @returns [2, 160, 160, 3] */
export function goldenBatch(seed: number, step: number): Float32Array {
  const side = GOLDEN.padded;
  const batch = new Float32Array(2 * side * side * 3);
  GOLDEN.images.forEach(({ height, width }, image) => {
    const pixels = goldenImage(seed, step, image);
    for (let y = 0; y < height; y++)
      for (let i = 0; i < 3 * width; i++) {
        const value = (pixels[y * width * 3 + i] - GOLDEN.mean[i % 3]) / GOLDEN.std[i % 3];
        batch[(image * side + y) * side * 3 + i] = value;
      }
  });
  return batch;
}

type Numbers = readonly number[];

/** Parts of each shape in the box's unit square. */
const SHAPES: Readonly<Record<string, readonly Numbers[]>> = {
  octagon: [[0.3, 0, 0.7, 0, 1, 0.3, 1, 0.7, 0.7, 1, 0.3, 1, 0, 0.7, 0, 0.3]],
  triangle: [[0, 0, 1, 0.25, 0.35, 1]],
  rectangle: [[0, 0, 1, 0, 1, 1, 0, 1]],
  two: [
    [0, 0, 0.45, 0.1, 0.4, 1, 0.05, 0.9],
    [0.55, 0.2, 1, 0, 0.95, 0.8, 0.6, 1],
  ],
};

/** Of each image: box before it is shifted, class, shape. */
const OBJECTS: readonly (readonly (readonly [box: Numbers, category: number, shape: string])[])[] = [
  [
    [[20.25, 18.5, 104.75, 94.25], 0, 'octagon'],
    [[8.5, 98.25, 120.75, 114.5], 1, 'triangle'],
    [[110.5, 20.75, 146.25, 62.5], 2, 'two'],
    [[128.5, 80.25, 133.75, 84.5], 3, 'rectangle'],
  ],
  [
    [[12.25, 10.5, 60.75, 70.25], 4, 'octagon'],
    [[84.5, 20.25, 98.75, 138.5], 2, 'two'],
    [[30.25, 90.5, 76.5, 128.75], 0, 'triangle'],
    [[103.25, 8.5, 128.5, 33.25], 1, 'rectangle'],
    [[20.5, 20.25, 72.25, 88.5], 3, 'two'],
  ],
];

export interface GoldenObjects extends Objects {
  /** Of each object its parts x0, y0, x1, y1, ... in pixels. */
  readonly polygons: readonly (readonly Numbers[])[];
}

export function goldenObjects(seed: number, step: number, image: number): GoldenObjects {
  const s = imageSeed(seed, step, image);
  const shift = [0, 1].map((axis) => Math.floor(8 * u(axis, s + 700_000)) / 2);
  const objects = OBJECTS[image].map(([box, category, shape]) => {
    const moved = box.map((edge, i) => edge + shift[i % 2]);
    const place = (value: number, i: number) => moved[i % 2] + value * (moved[2 + (i % 2)] - moved[i % 2]);
    return { box: moved, category, polygons: SHAPES[shape].map((part) => part.map(place)) };
  });
  return {
    boxes: Float32Array.from(objects.flatMap(({ box }) => box)),
    classes: Int32Array.from(objects, ({ category }) => category),
    polygons: objects.map(({ polygons }) => polygons),
  };
}

type Stage = 'anchors' | 'proposals';

/** The sequence of the hash that decides what is sampled, in place of Detectron2's random permutation. */
export function samplingSequence(seed: number, step: number, image: number, stage: Stage): number {
  return 900_000 + ((seed * 100 + step) * 10 + image) * 2 + (stage === 'anchors' ? 0 : 1);
}

export function goldenRank(seed: number, step: number, image: number, stage: Stage): Rank {
  const sequence = samplingSequence(seed, step, image, stage);
  return (id) => u(id, sequence);
}
