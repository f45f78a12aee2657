/** Encoding and decoding: Detectron2's numbers, and back and forth. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import {
  ANCHOR_WEIGHTS,
  type BoxWeights,
  decodeBoxes,
  encodeBoxes,
  PROPOSAL_WEIGHTS,
} from '../../../src/models/detection/box-coder.js';
import { expectClose } from '../../helpers/arrays.js';
import { readOpVectors } from '../../helpers/op-vectors.js';
import { randomBoxes } from './random-boxes.js';

const { box_coder: golden } = readOpVectors();
const flat = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat());

describe.each([
  ['anchors', ANCHOR_WEIGHTS],
  ['proposals', PROPOSAL_WEIGHTS],
] as [string, BoxWeights][])('with the weights of %s', (_, weights) => {
  const expected = golden.cases[`(${weights.map((weight) => weight.toFixed(1)).join(', ')})`];
  const source = flat(golden.source);

  it('encodes as Detectron2', () => {
    const deltas = encodeBoxes(source, flat(golden.target), weights);
    expectClose(deltas, expected.encode.flat(), { absolute: 2e-6, relative: 2e-6 });
  });

  it('decodes as Detectron2, several boxes for each source', () => {
    const boxes = decodeBoxes(source, flat(golden.deltas), weights);
    expectClose(boxes, expected.decode.flat(), { absolute: 2e-5, relative: 1e-6 });
  });

  it('decodes what it encoded', () => {
    const stream = new RandomStream(1, 'box coder');
    const [sources, targets] = [randomBoxes(stream, 500, 300, 400), randomBoxes(stream, 500, 300, 400)];
    const decoded = decodeBoxes(sources, encodeBoxes(sources, targets, weights), weights);
    // Targets 62.5 times as large as their source, and more, are out of reach.
    targets.forEach((edge, i) => {
      const at = 4 * (i >> 2) + (i % 2);
      const grown = (targets[at + 2] - targets[at]) / (sources[at + 2] - sources[at]);
      if (grown < 62) expect(Math.abs(decoded[i] - edge)).toBeLessThan(1e-3);
    });
  });
});

it('has the vectors of the specification', () => {
  const [source, target] = [Float32Array.of(10, 20, 50, 100), Float32Array.of(12, 16, 60, 96)];
  expectClose(encodeBoxes(source, target, PROPOSAL_WEIGHTS), [1.5, -0.5, 0.91160798, 0]);
  expectClose(encodeBoxes(source, target, ANCHOR_WEIGHTS), [0.15, -0.05, 0.18232159, 0]);
  const clamped = decodeBoxes(source, Float32Array.of(0, 0, 100, 100), ANCHOR_WEIGHTS);
  expectClose(clamped, [-1220, -2440, 1280, 2560]);
});

it('accepts no boxes, and names a box without area', () => {
  const none = new Float32Array(0);
  expect(encodeBoxes(none, none, ANCHOR_WEIGHTS).length).toBe(0);
  expect(decodeBoxes(none, none, ANCHOR_WEIGHTS).length).toBe(0);
  const [box, line] = [Float32Array.of(0, 0, 4, 4), Float32Array.of(3, 1, 3, 2)];
  expect(() => encodeBoxes(line, box, ANCHOR_WEIGHTS)).toThrow('source 0 has no area: [3,1,3,2]');
  expect(() => encodeBoxes(box, line, ANCHOR_WEIGHTS)).toThrow('target 0 has no area: [3,1,3,2]');
  expect(() => encodeBoxes(box, none, ANCHOR_WEIGHTS)).toThrow('1 sources for 0 targets');
  expect(() => decodeBoxes(box, new Float32Array(6), ANCHOR_WEIGHTS)).toThrow(
    '6 numbers do not fit 1 sources',
  );
});
