/** Proposals: each rule on its own, and a literal selection of random candidates. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import { nonMaximumSuppression } from '../../../src/models/detection/nms.js';
import { type Candidates, selectProposals } from '../../../src/models/detection/proposals.js';
import { randomBoxes } from './random-boxes.js';

const IMAGE = { height: 100, width: 120 };

/** Candidates of one level after the other, ids 100, 101, ... */
function candidatesOf(
  levels: readonly (readonly (readonly [logit: number, ...box: number[]])[])[],
): Candidates {
  const rows = levels.flat();
  return {
    ids: Int32Array.from(rows, (_, i) => 100 + i),
    boxes: Float32Array.from(rows.flatMap(([, ...box]) => box)),
    logits: Float32Array.from(rows, ([logit]) => logit),
    perLevel: levels.map((level) => level.length),
  };
}

describe('proposals', () => {
  it('are clipped to the image, and none is empty afterwards', () => {
    const candidates = candidatesOf([
      [
        [3, -10, 20, 50, 130],
        [2, 130, 0, 150, 40],
        [1, 10, -30, 20, 0],
        [0, 70, 90, 200, 95],
      ],
    ]);
    const { ids, boxes, logits } = selectProposals(candidates, { ...IMAGE, training: true });
    expect([...ids]).toEqual([100, 103]);
    expect([...logits]).toEqual([3, 0]);
    expect([...boxes]).toEqual([0, 20, 50, 100, 70, 90, 120, 95]);
    expect(candidates.boxes[0]).toBe(-10);
  });

  it('suppress each other within a level only', () => {
    const box = [10, 10, 50, 50];
    const candidates = candidatesOf([
      [
        [1, ...box],
        [2, ...box],
      ],
      [[0, ...box]],
    ]);
    expect([...selectProposals(candidates, { ...IMAGE, training: true }).ids]).toEqual([101, 102]);
  });

  it('are the best of all levels together, highest logit first', () => {
    const candidates = candidatesOf([
      [
        [0.1, 0, 0, 10, 10],
        [0.9, 20, 0, 30, 10],
      ],
      [
        [0.5, 40, 0, 50, 10],
        [0.7, 60, 0, 70, 10],
      ],
    ]);
    expect([...selectProposals(candidates, { ...IMAGE, keep: 3, training: false }).ids]).toEqual([
      101, 103, 102,
    ]);
  });

  it.each([
    ['RPN boxes', [1, Number.NaN, 0, 10, 10]],
    ['RPN boxes', [1, 0, 0, Number.POSITIVE_INFINITY, 10]],
    ['RPN logits', [Number.NaN, 0, 0, 10, 10]],
    ['RPN logits', [Number.POSITIVE_INFINITY, 0, 0, 10, 10]],
  ] as const)(
    'that are not finite (%s) stop training, and are left out of inference',
    (term, [logit, ...box]) => {
      const candidates = candidatesOf([
        [
          [5, 3, 3, 9, 9],
          [logit, ...box],
        ],
      ]);
      expect(() => selectProposals(candidates, { ...IMAGE, training: true })).toThrow(
        `${term}: row 1 of 2 is not finite`,
      );
      expect([...selectProposals(candidates, { ...IMAGE, training: false }).ids]).toEqual([100]);
    },
  );

  it('may be none', () => {
    const none = candidatesOf([[], []]);
    expect(selectProposals(none, { ...IMAGE, training: true }).ids.length).toBe(0);
  });

  it('equal those of a literal selection', () => {
    const stream = new RandomStream(1, 'proposals');
    for (let round = 0; round < 20; round++) {
      const perLevel = [stream.integer(0, 60), stream.integer(0, 60), stream.integer(0, 60)];
      const count = perLevel.reduce((a, b) => a + b);
      const boxes = randomBoxes(stream, count, 140, 160);
      const logits = Float32Array.from({ length: count }, () => stream.between(-3, 3));
      const expected: { id: number; logit: number }[] = [];
      let from = 0;
      for (const length of perLevel) {
        const rows = Array.from({ length }, (_, i) => from + i);
        const clipped = rows
          .map((row) => [0, 1, 2, 3].map((i) => Math.min(Math.max(boxes[4 * row + i], 0), i % 2 ? 100 : 120)))
          .map((box, i) => ({ box, row: rows[i] }))
          .filter(({ box }) => box[2] > box[0] && box[3] > box[1]);
        const kept = nonMaximumSuppression(
          Float32Array.from(clipped.flatMap(({ box }) => box)),
          Float32Array.from(clipped, ({ row }) => logits[row]),
          clipped.map(() => 0),
          { threshold: 0.7 },
        );
        for (const i of kept) expected.push({ id: 7 * clipped[i].row, logit: logits[clipped[i].row] });
        from += length;
      }
      expected.sort((a, b) => b.logit - a.logit);
      const ids = Int32Array.from(logits, (_, i) => 7 * i);
      const selected = selectProposals(
        { ids, boxes, logits, perLevel },
        { ...IMAGE, keep: 30, training: true },
      );
      expect([...selected.ids]).toEqual(expected.slice(0, 30).map(({ id }) => id));
      expect([...selected.logits]).toEqual(expected.slice(0, 30).map(({ logit }) => logit));
    }
  });
});
