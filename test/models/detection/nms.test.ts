/** Non-maximum suppression: Detectron2's numbers, and a literal version on random boxes. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import { nonMaximumSuppression } from '../../../src/models/detection/nms.js';
import { readOpVectors } from '../../helpers/op-vectors.js';
import { randomBoxes } from './random-boxes.js';

const { batched_nms: golden } = readOpVectors();

it.each(Object.entries(golden.keep))('keeps what Detectron2 keeps at %s', (threshold, expected) => {
  const kept = nonMaximumSuppression(
    Float32Array.from(golden.boxes.flat()),
    Float32Array.from(golden.scores),
    golden.category,
    { threshold: Number(threshold) },
  );
  expect([...kept]).toEqual(expected);
});

/** The definition in double precision: from the best down, against all that stay. */
function literalNms(
  boxes: Float32Array,
  scores: Float32Array,
  categories: number[],
  threshold: number,
): number[] {
  const iou = (i: number, j: number) => {
    const [a, b] = [boxes.subarray(4 * i, 4 * i + 4), boxes.subarray(4 * j, 4 * j + 4)];
    const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
    const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
    const area = (box: Float32Array) => (box[2] - box[0]) * (box[3] - box[1]);
    return (width * height) / (area(a) + area(b) - width * height);
  };
  const kept: number[] = [];
  for (const i of [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b))
    if (!kept.some((j) => categories[i] === categories[j] && iou(i, j) > threshold)) kept.push(i);
  return kept;
}

describe('on random boxes', () => {
  const stream = new RandomStream(1, 'nms');
  it.each([0.3, 0.5, 0.7])('equals a literal version at %d, with or without a limit', (threshold) => {
    for (let round = 0; round < 20; round++) {
      const count = stream.integer(0, 150);
      const boxes = randomBoxes(stream, count, 60, 80);
      // Some scores are equal, some boxes too.
      boxes.copyWithin(0, 4 * Math.floor(count / 2), 4 * Math.floor((3 * count) / 4));
      const scores = Float32Array.from({ length: count }, () => stream.integer(0, 40) / 40);
      const categories = Array.from({ length: count }, () => stream.integer(0, 3));
      const expected = literalNms(boxes, scores, categories, threshold);
      const kept = nonMaximumSuppression(boxes, scores, categories, { threshold });
      expect([...kept]).toEqual(expected);
      const few = nonMaximumSuppression(boxes, scores, categories, { threshold, limit: 5 });
      expect([...few]).toEqual(expected.slice(0, 5));
    }
  });
});
