/** Matching: Detectron2's tables, its float32 ties to the anchor, and a literal matcher on random boxes. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import { anchorOverlaps } from '../../../src/models/detection/anchor-overlaps.js';
import { AnchorGrid } from '../../../src/models/detection/anchors.js';
import { boxOverlaps, type Overlaps } from '../../../src/models/detection/box-iou.js';
import {
  ANCHOR_RULE,
  type Matches,
  type MatchRule,
  match,
  PROPOSAL_RULE,
} from '../../../src/models/detection/matcher.js';
import { readOpVectors } from '../../helpers/op-vectors.js';
import { randomBoxes } from './random-boxes.js';

const golden = readOpVectors();

function tableOverlaps(table: readonly (readonly number[])[]): Overlaps {
  return {
    objects: table.length,
    candidates: table[0].length,
    row(object, indices, ious) {
      const columns = table[object].flatMap((iou, column) => (iou > 0 ? [column] : []));
      indices.set(columns);
      ious.set(columns.map((column) => table[object][column]));
      return columns.length;
    },
  };
}

/** All rows, [objects][candidates] */
function tableOf(overlaps: Overlaps): Float32Array[] {
  const [indices, ious] = [new Int32Array(overlaps.candidates), new Float32Array(overlaps.candidates)];
  return Array.from({ length: overlaps.objects }, (_, object) => {
    const row = new Float32Array(overlaps.candidates);
    const count = overlaps.row(object, indices, ious);
    for (let i = 0; i < count; i++) row[indices[i]] = ious[i];
    return row;
  });
}

/** The definition, candidate by candidate, then object by object. */
function literalMatch(table: readonly ArrayLike<number>[], candidates: number, rule: MatchRule): Matches {
  const objects = new Int32Array(candidates);
  const labels = new Int8Array(candidates);
  for (let c = 0; c < candidates; c++) {
    const column = table.map((row) => row[c]);
    const best = Math.max(0, ...column);
    objects[c] = Math.max(0, column.indexOf(best));
    labels[c] = rule.labels[rule.thresholds.filter((threshold) => best >= Math.fround(threshold)).length];
  }
  if (rule.lowQuality)
    for (const row of table) {
      const best = Array.from(row).reduce((a, b) => Math.max(a, b));
      for (let c = 0; c < candidates; c++) if (row[c] === best) labels[c] = 1;
    }
  return { objects, labels };
}

describe.each([
  ['anchors', ANCHOR_RULE],
  ['proposals', PROPOSAL_RULE],
] as const)('the rule of %s', (name, rule) => {
  const expected = golden.matcher[name];

  it('gives the matches of Detectron2', () => {
    expect([rule.thresholds, rule.labels, rule.lowQuality]).toEqual([
      expected.thresholds,
      expected.labels,
      expected.low_quality,
    ]);
    const { objects, labels } = match(tableOverlaps(golden.matcher.iou), rule);
    expect([...objects]).toEqual(expected.match);
    expect([...labels]).toEqual(expected.label);
  });

  it('equals a literal matcher on random boxes', () => {
    const stream = new RandomStream(2, 'matcher');
    for (let round = 0; round < 30; round++) {
      const objects = randomBoxes(stream, stream.integer(0, 9), 160, 200);
      const boxes = randomBoxes(stream, 200, 160, 200);
      // Some equal to each other, and some to objects: ties, and an IoU of 1.
      boxes.set(boxes.subarray(0, 80), 80);
      boxes.set(objects, 0);
      const overlaps = boxOverlaps(objects, boxes);
      expect(match(overlaps, rule)).toEqual(literalMatch(tableOf(overlaps), 200, rule));
    }
  });
});

it('has the labels of the table in the tests of Detectron2', () => {
  const table = [
    [0.15, 0.45, 0.2, 0.6],
    [0.3, 0.65, 0.05, 0.1],
    [0.05, 0.4, 0.25, 0.4],
  ];
  const rule = { thresholds: [0.3, 0.7], labels: [0, -1, 1], lowQuality: true };
  const { objects, labels } = match(tableOverlaps(table), rule);
  expect([...objects]).toEqual([1, 1, 2, 0]);
  expect([...labels]).toEqual([-1, 1, 0, 1]);
});

describe('the anchors that share the best IoU of an object', () => {
  const grid = new AnchorGrid(160, 160);
  it.each(golden.anchors.best_anchors.objects)('box $box', ({ box, ...expected }) => {
    const [row] = tableOf(anchorOverlaps(Float32Array.from(box), grid));
    const best = row.reduce((a, b) => Math.max(a, b));
    expect(best).toBeCloseTo(expected.best_iou, 10);
    expect([...row.keys()].filter((i) => row[i] === best)).toEqual(expected.best_float32);
    expect(row.filter((iou) => iou >= 0.3).length).toBe(expected.at_least_0_3);
    expect(row.filter((iou) => iou >= 0.7).length).toBe(expected.at_least_0_7);
  });
});

describe('overlaps with anchors', () => {
  it('have the bits of those with a list of boxes', () => {
    const stream = new RandomStream(3, 'anchor overlaps');
    for (const [height, width] of [
      [160, 160],
      [96, 224],
      [32, 32],
    ]) {
      const grid = new AnchorGrid(height, width);
      const objects = randomBoxes(stream, 25, height, width);
      objects.set([0, 0, width, height, 5, 5, 6, 6, 0, 0, 1e-4, 1e-4], 0);
      expect(tableOf(anchorOverlaps(objects, grid))).toEqual(tableOf(boxOverlaps(objects, grid.boxes())));
    }
  });

  it('make anchors of an object of one pixel positive', () => {
    const { labels, objects } = match(
      anchorOverlaps(Float32Array.of(9, 9, 10, 10), new AnchorGrid(64, 64)),
      ANCHOR_RULE,
    );
    expect(labels.filter((label) => label === 1).length).toBeGreaterThan(0);
    expect(Math.max(...objects)).toBe(0);
  });

  it('find the anchors of 3,000 objects in a large image', () => {
    const objects = randomBoxes(new RandomStream(4, 'crowd'), 3000, 800, 1216);
    const grid = new AnchorGrid(800, 1216);
    const { labels } = match(anchorOverlaps(objects, grid), ANCHOR_RULE);
    expect(labels.length).toBe(grid.count);
    expect(labels.some((label) => label === 1)).toBe(true);
  });
});

it('calls everything negative without objects', () => {
  const { labels, objects } = match(anchorOverlaps(new Float32Array(0), new AnchorGrid(64, 64)), ANCHOR_RULE);
  expect(new Set(labels)).toEqual(new Set([0]));
  expect(new Set(objects)).toEqual(new Set([0]));
});

it('ties an object that overlaps nothing with everything, as Detectron2 does', () => {
  const apart = match(boxOverlaps(Float32Array.of(0, 0, 1, 1), Float32Array.of(5, 5, 9, 9)), ANCHOR_RULE);
  expect([...apart.labels]).toEqual([1]);
});

it('names an object that is not finite', () => {
  const objects = Float32Array.of(0, 0, 1, 1, 0, Number.NaN, 1, 1);
  expect(() => boxOverlaps(objects, objects)).toThrow('box of object 1 has an edge of NaN');
  expect(() => anchorOverlaps(objects, new AnchorGrid(32, 32))).toThrow('box of object 1 has an edge of NaN');
});
