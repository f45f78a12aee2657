/** Detections from scores and boxes: Detectron2's numbers, and each rule on its own. */

import { expect, it } from 'vitest';
import { rescaleDetections, selectDetections } from '../../../src/models/detection/postprocess.js';
import { expectClose } from '../../helpers/arrays.js';
import { u } from '../../helpers/counter-hash.js';
import { readOpVectors } from '../../helpers/op-vectors.js';

const { box_inference: golden } = readOpVectors();

it('has the vector of the specification', () => {
  const boxes = Float32Array.of(
    ...[10, 10, 50, 50, 100, 100, 150, 150],
    ...[12, 12, 52, 52, 100, 100, 150, 150],
    ...[0, 0, 20, 20, 110, 110, 160, 160],
  );
  const scores = Float32Array.of(0.6, 0.3, 0.1, 0.7, 0.04, 0.26, 0.05, 0.9, 0.05);
  const found = selectDetections(boxes, scores, 2, { height: 120, width: 120 });
  expect([...found.boxes]).toEqual([110, 110, 120, 120, 12, 12, 52, 52, 100, 100, 120, 120]);
  expectClose(found.scores, [0.9, 0.7, 0.3]);
  expect([[...found.classes], [...found.rows]]).toEqual([
    [1, 0, 1],
    [2, 1, 0],
  ]);
});

it('finds what Detectron2 finds among 40 boxes of three classes', () => {
  const boxes: number[] = [];
  const scores: number[] = [];
  for (let r = 0; r < 40; r++) {
    const centre = [100 * u(2 * r, 1500), 80 * u(2 * r + 1, 1500)];
    const size = [8 + 40 * u(2 * r, 1501), 8 + 40 * u(2 * r + 1, 1501)];
    for (let k = 0; k < 3; k++)
      for (let j = 0; j < 4; j++) {
        const side = ((j < 2 ? -1 : 1) * size[j % 2]) / 2;
        boxes.push(centre[j % 2] + side + 6 * (2 * u(12 * r + 4 * k + j, 1502) - 1));
      }
    const row = [0, 1, 2, 3].map((k) => u(4 * r + k, 1503) ** 2);
    scores.push(...row.map((score) => score / row.reduce((a, b) => a + b)));
  }
  const options = { height: 80, width: 100, keep: 25 };
  const found = selectDetections(Float32Array.from(boxes), Float32Array.from(scores), 3, options);
  expect([...found.classes]).toEqual(golden.classes);
  expect([...found.rows]).toEqual(golden.roi);
  expectClose(found.scores, golden.scores, { absolute: 1e-6 });
  expectClose(found.boxes, golden.boxes.flat(), { absolute: 1e-4 });
});

it('leaves out a box with anything that is not finite, in all its classes', () => {
  const box = [0, 0, 9, 9];
  const boxes = Float32Array.from([box, [0, 0, Number.NaN, 9], box, box, box, box].flat());
  const scores = Float32Array.of(0.6, 0.4, 0, 0.5, Number.POSITIVE_INFINITY, 0, 0.3, 0.4, 0.3);
  const found = selectDetections(boxes, scores, 2, { height: 20, width: 20 });
  expect([...found.rows]).toEqual([2, 2]);
});

it('may find nothing', () => {
  const none = selectDetections(new Float32Array(0), new Float32Array(0), 2, { height: 9, width: 9 });
  expect([none.boxes.length, none.scores.length]).toEqual([0, 0]);
  // 0.05 in float32 is a little more than 0.05.
  const low = selectDetections(new Float32Array(4), Float32Array.of(0.05, 0.95), 1, { height: 9, width: 9 });
  expect(low.rows.length).toBe(0);
});

it('scales to the output, clips, and drops what has no area there', () => {
  const found = {
    boxes: Float32Array.of(10, 20, 30, 40, 50, 10, 50, 20, 90, 70, 100, 80),
    scores: Float32Array.of(0.9, 0.8, 0.7),
    classes: Int32Array.of(1, 2, 3),
    rows: Int32Array.of(4, 5, 6),
  };
  const scaled = rescaleDetections(found, { height: 80, width: 100 }, { height: 40, width: 200 });
  expect([...scaled.boxes]).toEqual([20, 10, 60, 20, 180, 35, 200, 40]);
  expect([...scaled.rows]).toEqual([4, 6]);
  expect([...scaled.classes]).toEqual([1, 3]);
});
