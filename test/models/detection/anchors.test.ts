/** Anchors: Detectron2's numbers to the last bit, and the grid against itself. */

import { describe, expect, it } from 'vitest';
import { AnchorGrid, DEFAULT_ANCHORS } from '../../../src/models/detection/anchors.js';
import { assignLevels } from '../../../src/models/detection/level-assignment.js';
import { expectClose } from '../../helpers/arrays.js';
import { readOpVectors } from '../../helpers/op-vectors.js';

const { anchors: golden, pooler_levels: pooler } = readOpVectors();

describe('the anchors of a 160 x 160 input', () => {
  const grid = new AnchorGrid(160, 160);
  const boxes = grid.boxes();

  it('are those of Detectron2', () => {
    expect(grid.count).toBe(golden.count);
    expect(boxes.length).toBe(4 * golden.count);
    golden.cell.forEach((kinds, l) => {
      const from = 4 * grid.levels[l].start;
      expectClose(boxes.subarray(from, from + 12), kinds.flat(), { absolute: 0, relative: 1e-11 });
    });
    for (const [id, box] of golden.at)
      expectClose(boxes.subarray(4 * id, 4 * id + 4), box, { absolute: 0, relative: 1e-11 });
    const sums = golden.sum.map((_, i) =>
      boxes.reduce((sum, value, at) => (at % 4 === i ? sum + value : sum), 0),
    );
    expectClose(sums, golden.sum, { relative: 1e-11 });
  });

  it('are found by their index', () => {
    const ids = Int32Array.of(0, 4799, 4800, 5999, 6000, 6299, 6300, 6374, 6375, 6401, 17);
    const expected = Array.from(ids).flatMap((id) => [...boxes.subarray(4 * id, 4 * id + 4)]);
    expect([...grid.boxesOf(ids)]).toEqual(expected);
    expect(() => grid.boxesOf(Int32Array.of(6402))).toThrow('there is no anchor 6402 of 6402');
  });
});

it('are on maps whose sides are rounded up', () => {
  const grid = new AnchorGrid(800, 1344);
  expect(grid.count).toBe(3 * (200 * 336 + 100 * 168 + 50 * 84 + 25 * 42 + 13 * 21));
  expect(grid.levels.map(({ height, width }) => [height, width])).toEqual([
    [200, 336],
    [100, 168],
    [50, 84],
    [25, 42],
    [13, 21],
  ]);
});

it('need a size for each level', () => {
  expect(() => new AnchorGrid(64, 64, { ...DEFAULT_ANCHORS, sizes: [32, 64] })).toThrow(
    '2 sizes for 5 levels',
  );
});

describe('levels of boxes', () => {
  const square = (side: number) => [3, 5, 3 + side, 5 + side];

  it('are those of Detectron2 in float32', () => {
    const levels = assignLevels(Float32Array.from(pooler.sides.flatMap(square)));
    expect(Array.from(levels, (level) => level + 2)).toEqual(pooler.level_float32);
  });

  it('are those of the specification', () => {
    const sides = [0, 56, 111.9, 112, 223.999, 224, 447.9, 448, 1000];
    const levels = assignLevels(Float32Array.from(sides.flatMap((side) => [0, 0, side, side])));
    expect(Array.from(levels, (level) => level + 2)).toEqual([2, 2, 2, 3, 3, 4, 4, 5, 5]);
  });
});
