/** What RPN and heads learn from an image: sampled anchors, sampled RoIs, and their targets. */

import { describe, expect, it } from 'vitest';
import { takeRows } from '../../../src/core/array.js';
import { RandomStream } from '../../../src/core/rng.js';
import { anchorTargets } from '../../../src/models/detection/anchor-targets.js';
import { AnchorGrid } from '../../../src/models/detection/anchors.js';
import { ANCHOR_WEIGHTS, decodeBoxes, PROPOSAL_WEIGHTS } from '../../../src/models/detection/box-coder.js';
import { boxOverlaps } from '../../../src/models/detection/box-iou.js';
import { ANCHOR_RULE, match } from '../../../src/models/detection/matcher.js';
import type { Proposals } from '../../../src/models/detection/proposals.js';
import { type Objects, sampleRois } from '../../../src/models/detection/roi-sampler.js';
import { expectClose } from '../../helpers/arrays.js';
import { u } from '../../helpers/counter-hash.js';
import { randomBoxes } from './random-boxes.js';

const rank = (id: number) => u(id, 11);

describe('anchor targets', () => {
  const grid = new AnchorGrid(160, 192);
  const objects = randomBoxes(new RandomStream(1, 'objects'), 6, 160, 192);
  const { positives, negatives, deltas } = anchorTargets(objects, grid, rank);
  const { labels, objects: matched } = match(boxOverlaps(objects, grid.boxes()), ANCHOR_RULE);

  it('are 256 anchors, at most half of them positive', () => {
    const available = labels.filter((label) => label === 1).length;
    expect(positives.length).toBe(Math.min(128, available));
    expect(positives.length + negatives.length).toBe(256);
    expect(positives.every((id) => labels[id] === 1)).toBe(true);
    expect(negatives.every((id) => labels[id] === 0)).toBe(true);
  });

  it('decode to the matched objects', () => {
    const decoded = decodeBoxes(grid.boxesOf(positives), deltas, ANCHOR_WEIGHTS);
    expectClose(
      decoded,
      takeRows(
        objects,
        positives.map((id) => matched[id]),
        4,
      ),
      { absolute: 1e-3 },
    );
  });

  it('are negatives only without objects', () => {
    const none = anchorTargets(new Float32Array(0), grid, rank);
    expect([none.positives.length, none.negatives.length, none.deltas.length]).toEqual([0, 256, 0]);
  });
});

const OPTIONS = { classes: 5, anchors: 1000, size: { count: 12, positiveFraction: 0.25 } };

function proposalsAt(boxes: number[][]): Proposals {
  return {
    ids: Int32Array.from(boxes, (_, i) => 10 * i),
    boxes: Float32Array.from(boxes.flat()),
    logits: new Float32Array(boxes.length),
  };
}

describe('sampled RoIs', () => {
  const objects: Objects = {
    boxes: Float32Array.of(10, 10, 50, 50, 60, 60, 90, 90),
    classes: Int32Array.of(3, 0),
  };
  const near = [
    [10, 10, 50, 45],
    [12, 10, 50, 50],
    [60, 60, 88, 90],
    [61, 61, 90, 90],
  ];
  const far = Array.from({ length: 20 }, (_, i) => [100 + i, 0, 120 + i, 20]);
  const proposals = proposalsAt([...near, ...far]);
  const rois = sampleRois(proposals, objects, rank, OPTIONS);

  it('are foreground first, at most a quarter', () => {
    expect(rois.foreground).toBe(3);
    expect(rois.ids.length).toBe(12);
    const foreground = [0, 10, 20, 30, 1000, 1001].sort((a, b) => rank(a) - rank(b)).slice(0, 3);
    expect([...rois.ids.subarray(0, 3)]).toEqual(foreground);
    expect(rois.ids.subarray(3).every((id) => id >= 40 && id < 240)).toBe(true);
    expect(rois.classes.subarray(3).every((value) => value === 5)).toBe(true);
  });

  it('have the class and the box of their object', () => {
    const expected: Record<number, number> = { 0: 0, 10: 0, 20: 1, 30: 1, 1000: 0, 1001: 1 };
    expect([...rois.objects]).toEqual(Array.from(rois.ids.subarray(0, 3), (id) => expected[id]));
    expect([...rois.classes.subarray(0, 3)]).toEqual(Array.from(rois.objects, (i) => objects.classes[i]));
    const decoded = decodeBoxes(rois.boxes.subarray(0, 12), rois.deltas, PROPOSAL_WEIGHTS);
    expectClose(decoded, takeRows(objects.boxes, rois.objects, 4), { absolute: 1e-4 });
  });

  it('include the objects when nothing was proposed', () => {
    const { foreground, ids, boxes } = sampleRois(proposalsAt([]), objects, rank, OPTIONS);
    expect([foreground, ...[...ids].sort((a, b) => a - b)]).toEqual([2, 1000, 1001]);
    expect([...boxes].sort()).toEqual([...objects.boxes].sort());
  });

  it('are background only without objects', () => {
    const none: Objects = { boxes: new Float32Array(0), classes: new Int32Array(0) };
    const { foreground, classes, deltas } = sampleRois(proposals, none, rank, OPTIONS);
    expect([foreground, deltas.length, ...classes]).toEqual([0, 0, ...new Array(12).fill(5)]);
    expect(sampleRois(proposalsAt([]), none, rank, OPTIONS).ids.length).toBe(0);
  });

  it('are fewer when there is too little background', () => {
    const { foreground, ids } = sampleRois(proposalsAt(near), objects, rank, OPTIONS);
    expect([foreground, ids.length]).toEqual([3, 3]);
  });

  it('keep an object of one pixel, and any number of objects', () => {
    const pixel: Objects = { boxes: Float32Array.of(7, 8, 8, 9), classes: Int32Array.of(2) };
    expect(sampleRois(proposals, pixel, rank, OPTIONS).classes[0]).toBe(2);
    const stream = new RandomStream(3, 'many');
    const many: Objects = {
      boxes: randomBoxes(stream, 3000, 100, 130),
      classes: Int32Array.from({ length: 3000 }, () => stream.integer(0, 5)),
    };
    const sampled = sampleRois(proposals, many, rank, { classes: 5, anchors: 1000 });
    expect(sampled.foreground).toBe(128);
  });
});
