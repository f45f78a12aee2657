/** The inputs of the golden runs, against numbers from the script that made them. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../../helpers/arrays.js';
import { u } from '../../helpers/counter-hash.js';
import {
  GOLDEN,
  goldenBatch,
  goldenImage,
  goldenObjects,
  goldenRank,
  goldenTensor,
} from './golden-inputs.js';

interface Expected {
  readonly seed: number;
  readonly u: readonly number[];
  readonly weights: Readonly<Record<string, { shape: number[]; first: number[]; abs_sum: number }>>;
  readonly images: readonly { first: number[]; sum: number }[][];
  readonly objects: readonly { box: number[]; category: number; polygons: number[][] }[][][];
  readonly sampling: readonly {
    step: number;
    image: number;
    stage: number;
    first_of_6402: number[];
  }[];
}

const file = new URL('../../golden/detection/inputs_seed1.json', import.meta.url);
const expected = JSON.parse(readFileSync(file, 'utf8')) as Expected;
const { seed } = expected;

it('come from the same hash', () => {
  expectClose(
    expected.u.map((_, i) => u(i, 1)),
    expected.u,
    { absolute: 1e-12, relative: 1e-11 },
  );
});

describe('weights', () => {
  it.each(Object.entries(expected.weights))('%s', (key, { shape, first, abs_sum }) => {
    const data = goldenTensor(key, shape);
    expectClose(data.subarray(0, first.length), first, { absolute: 1e-7, relative: 1e-7 });
    expectClose([data.reduce((sum, value) => sum + Math.abs(value), 0)], [abs_sum], { relative: 1e-7 });
  });
});

describe.each(expected.images.map((images, step) => ({ step, images })))('step $step', ({ step, images }) => {
  it.each([0, 1])('image %i', (image) => {
    const pixels = goldenImage(seed, step, image);
    const { first, sum } = images[image];
    expect(first.map((_, x) => pixels[3 * x])).toEqual(first);
    expect(pixels.reduce((total, value) => total + value, 0)).toBe(sum);
  });
});

describe.each(expected.objects.map((images, step) => ({ step, images })))(
  'step $step',
  ({ step, images }) => {
    it.each([0, 1])('objects of image %i', (image) => {
      const objects = images[image];
      const { boxes, classes, polygons } = goldenObjects(seed, step, image);
      const parts = objects.map((object) => object.polygons);
      expect([...boxes]).toEqual(objects.flatMap(({ box }) => box));
      expect([...classes]).toEqual(objects.map(({ category }) => category));
      expect(polygons.map(({ length }) => length)).toEqual(parts.map(({ length }) => length));
      expectClose(polygons.flat(2), parts.flat(2), { absolute: 1e-9, relative: 1e-11 });
    });
  },
);

it.each(expected.sampling)('order of sampling: step $step, image $image, stage $stage', (entry) => {
  const { step, image, stage, first_of_6402: first } = entry;
  const rank = goldenRank(seed, step, image, stage === 0 ? 'anchors' : 'proposals');
  const order = Array.from({ length: 6402 }, (_, id) => id).sort((a, b) => rank(a) - rank(b));
  expect(order.slice(0, first.length)).toEqual(first);
});

it('the batch of step 0 is normalised, then padded with zeros', () => {
  const run = new URL('../../golden/detection/faster_frozen_seed1.json', import.meta.url);
  const { step0 } = JSON.parse(readFileSync(run, 'utf8')) as {
    step0: { input: { shape: number[]; sum: number; abs_sum: number; at: [number, number][] } };
  };
  const { shape, sum, abs_sum, at } = step0.input;
  expect(shape).toEqual([2, 3, GOLDEN.padded, GOLDEN.padded]);
  const batch = goldenBatch(seed, 0);
  const total = (value: (v: number) => number) => batch.reduce((a, v) => a + value(v), 0);
  expectClose([total((v) => v), total(Math.abs)], [sum, abs_sum], { absolute: 1e-2 });
  const area = GOLDEN.padded ** 2;
  const place = (i: number) => {
    const [image, channel] = [Math.floor(i / area / 3), Math.floor(i / area) % 3];
    return (image * area + (i % area)) * 3 + channel;
  };
  expectClose(
    at.map(([i]) => batch[place(i)]),
    at.map(([, value]) => value),
  );
});
