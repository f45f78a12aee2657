/** Sampling of labels: counts, order, and that all candidates have the same chance. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import { randomRank, type SampleSize, sampleLabels } from '../../../src/models/detection/label-sampler.js';
import { u } from '../../helpers/counter-hash.js';

const SIZE: SampleSize = { count: 8, positiveFraction: 0.25 };
const rank = (id: number) => u(id, 5);

/** So many labels of 1, 0 and -1, mixed. */
function labelsOf(positive: number, negative: number, ignored: number): Int8Array {
  const labels = [
    ...new Array<number>(positive).fill(1),
    ...new Array<number>(negative).fill(0),
    ...new Array<number>(ignored).fill(-1),
  ];
  return Int8Array.from(new RandomStream(1, 'labels').shuffle(labels));
}

/** The definition: sort all, take the first. */
function literalSample(labels: Int8Array, { count, positiveFraction }: SampleSize) {
  const sorted = (label: number) =>
    [...labels.keys()].filter((i) => labels[i] === label).sort((a, b) => rank(a) - rank(b) || a - b);
  const positives = sorted(1).slice(0, Math.floor(count * positiveFraction));
  return { positives, negatives: sorted(0).slice(0, count - positives.length) };
}

describe.each([
  ['enough of both', 20, 50, 7, [2, 6]],
  ['few positives', 1, 50, 7, [1, 7]],
  ['no positives', 0, 50, 7, [0, 8]],
  ['few negatives', 20, 3, 7, [2, 3]],
  ['no negatives', 20, 0, 7, [2, 0]],
  ['nothing but ignored', 0, 0, 7, [0, 0]],
  ['nothing', 0, 0, 0, [0, 0]],
] as const)('%s', (_, positive, negative, ignored, counts) => {
  it('takes the smallest ranks of each label', () => {
    const labels = labelsOf(positive, negative, ignored);
    const { positives, negatives } = sampleLabels(labels, SIZE, rank);
    expect([positives.length, negatives.length]).toEqual(counts);
    expect({ positives: [...positives], negatives: [...negatives] }).toEqual(literalSample(labels, SIZE));
  });
});

it('rounds the share of positives down, and takes the first of equal ranks', () => {
  const { positives, negatives } = sampleLabels(
    labelsOf(9, 9, 0).sort().reverse(),
    { count: 7, positiveFraction: 0.5 },
    () => 1,
  );
  expect([...positives]).toEqual([0, 1, 2]);
  expect([...negatives]).toEqual([9, 10, 11, 12]);
});

it('gives every candidate the same chance', () => {
  const labels = labelsOf(40, 60, 0);
  const taken = new Float64Array(100);
  const rounds = 4000;
  for (let step = 0; step < rounds; step++) {
    const { positives, negatives } = sampleLabels(
      labels,
      { count: 20, positiveFraction: 0.5 },
      randomRank(new RandomStream(1, 'sample', step)),
    );
    for (const i of [...positives, ...negatives]) taken[i]++;
  }
  taken.forEach((count, i) => {
    const chance = labels[i] === 1 ? 10 / 40 : 10 / 60;
    const deviation = Math.sqrt(rounds * chance * (1 - chance));
    expect(Math.abs(count - rounds * chance)).toBeLessThan(4.5 * deviation);
  });
});

it('keeps its choice when candidates change places', () => {
  const ids = Int32Array.from({ length: 50 }, (_, i) => 7 * i);
  const moved = new RandomStream(9, 'move').shuffle(ids.slice());
  const labels = new Int8Array(50);
  const byId = randomRank(new RandomStream(2, 'sample'));
  const choose = (order: Int32Array) =>
    Array.from(sampleLabels(labels, SIZE, (i) => byId(order[i])).negatives, (i) => order[i]);
  expect(choose(moved)).toEqual(choose(ids));
});
