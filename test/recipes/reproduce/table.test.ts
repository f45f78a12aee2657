/** From a plan to cells, from cells to a table, and what the table says. */

import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/config/load.js';
import { RESULTS, type ResultsConfig } from '../../../src/config/schemas/results.js';
import { type Cell, cellsOf, rowsOf } from '../../../src/recipes/reproduce/cells.js';
import { columnsOf } from '../../../src/recipes/reproduce/columns.js';
import type { CellResult } from '../../../src/recipes/reproduce/results-folder.js';
import { makeTable } from '../../../src/recipes/reproduce/table.js';
import { markdown } from '../../../src/recipes/reproduce/write.js';

function plan(overrides: Record<string, unknown>): ResultsConfig {
  return resolveConfig(RESULTS, { overrides }).config;
}

function result(
  { id }: Cell,
  figures: Record<string, number>,
  noise: Record<string, number> = {},
): CellResult {
  return { id, fingerprint: id, figures, noise, notes: { protocol: 'p' }, seconds: 1, finished: '' };
}

describe('cellsOf', () => {
  it('is seed by seed, and pretraining comes before what needs it', () => {
    const cells = cellsOf(
      plan({ rows: 'random,scrl,own=a=b.pth', columns: 'linear_offline,mask', seeds: '3,1' }),
    );
    expect(cells.map(({ id }) => id)).toEqual([
      'random-seed3-linear',
      'random-seed3-mask',
      'scrl-seed3-pretrain',
      'scrl-seed3-linear',
      'scrl-seed3-mask',
      'own-seed3-linear',
      'own-seed3-mask',
      'random-seed1-linear',
      'random-seed1-mask',
      'scrl-seed1-pretrain',
      'scrl-seed1-linear',
      'scrl-seed1-mask',
      'own-seed1-linear',
      'own-seed1-mask',
    ]);
    expect(cells[4].needs).toBe(cells[2]);
    expect(cells[5].row.source).toEqual({ kind: 'weights', path: 'a=b.pth' });
  });
});

describe('a plan', () => {
  it.each([
    [{ rows: 'scrl,simclr' }, /rows: "simclr" is neither random, supervised, byol, scrl nor NAME=WEIGHTS/],
    [{ rows: 'scrl,scrl' }, /rows: scrl is there twice/],
    [{ rows: 'byol=x.pth' }, /rows: "byol=x.pth" is neither/],
    [{ rows: '[]' }, /rows: there are no rows/],
    [{ columns: 'box' }, /columns: "box" is no column/],
    [{ seeds: '1,1' }, /seeds: 1 is there twice/],
    [{ 'linear/rates': '[]' }, /linear\/rates: there are no rates/],
  ])('with %j is refused', (overrides, message) => {
    expect(() => plan(overrides)).toThrow(message);
  });
});

const PLAN = plan({ rows: 'random,byol,scrl', columns: 'linear_online,mask', seeds: '0,1,2' });
const BOX: Record<string, number[]> = { random: [10, 11, 12], byol: [20, 22, 21], scrl: [21, 23.2, 21.8] };

function done(of: (cell: Cell) => boolean = () => true) {
  return cellsOf(PLAN)
    .filter(of)
    .map((cell) => {
      const box = BOX[cell.row.name][cell.seed];
      const figures: Record<string, number> =
        cell.kind === 'mask' ? { 'bbox/AP': box, 'segm/AP': box / 2 } : { val_top1: 2 * box };
      return { cell, result: result(cell, figures, cell.kind === 'mask' ? { 'bbox/AP': 0.5 } : {}) };
    });
}

describe('makeTable', () => {
  it('has mean and deviation of the seeds, and no figure where a row has none', () => {
    const { rows } = makeTable(rowsOf(PLAN), columnsOf(PLAN), done());
    expect(rows.map(({ row }) => row.name)).toEqual(['random', 'byol', 'scrl']);
    expect(rows[0].entries).toMatchObject({ mask_box: { n: 3, mean: 11, deviation: 1, noise: 0.5 } });
    expect(rows[0].entries.linear_online).toBeUndefined();
    expect(rows[2].entries.linear_online.values).toEqual([42, 46.4, 43.6]);
  });

  it('compares seed by seed', () => {
    const { comparisons } = makeTable(rowsOf(PLAN), columnsOf(PLAN), done());
    expect(comparisons.map(({ a, b }) => `${a} - ${b}`)).toEqual([
      'byol - random',
      'scrl - random',
      'scrl - byol',
    ]);
    const { mask_box: box } = comparisons[2].differences;
    expect(box).toMatchObject({ n: 3, wins: 3, distinguishable: true });
    expect(box.mean).toBeCloseTo(1, 10);
  });

  it('compares the seeds that both rows have', () => {
    const some = done(({ row, seed }) => row.name !== 'byol' || seed === 1);
    const { comparisons } = makeTable(rowsOf(PLAN), columnsOf(PLAN), some);
    expect(comparisons[2].differences.mask_box).toMatchObject({ n: 1, distinguishable: false });
  });

  it('is empty before anything is done', () => {
    const { rows, comparisons } = makeTable(rowsOf(PLAN), columnsOf(PLAN), []);
    expect(rows.every(({ entries }) => Object.keys(entries).length === 0)).toBe(true);
    expect(comparisons).toEqual([]);
  });
});

describe('markdown', () => {
  const text = markdown({
    table: makeTable(
      rowsOf(PLAN),
      columnsOf(PLAN),
      done(({ row, seed }) => row.name !== 'byol' || seed === 1),
    ),
    done: done(),
    about: {
      plan: 'tiny',
      settings: 'seeds: [0]\n',
      scrl: '1',
      tensorflow: '2',
      machine: 'm',
      missing: [{ id: 'byol-seed0-mask', reason: 'the disk\nis full' }],
    },
  });

  it('has figures, differences, what is missing, and the paper beside them', () => {
    expect(text).toMatch('| random | – | 11.0 ± 1.0 (3) | 5.5 ± 0.5 (3) |');
    expect(text).toMatch('| byol | 44.0 (1) | 22.0 (1) | 11.0 (1) |');
    expect(text).toMatch('| scrl − byol | +2.4, one seed: no interval | +1.2, one seed: no interval |');
    expect(text).toMatch('- byol-seed0-mask: the disk is full');
    expect(text).toMatch('| scrl | 200 | 66.78 | 41.02 | 37.50 |');
    expect(text).toMatch('Mask R-CNN, box AP 0.5 to 0.5');
  });

  it('says where rows cannot be told apart', () => {
    const equal = done().map(({ cell, result }) =>
      cell.row.name === 'scrl'
        ? { cell, result: { ...result, figures: { 'bbox/AP': 21 } } }
        : { cell, result },
    );
    const table = makeTable(rowsOf(PLAN), columnsOf(PLAN), equal);
    const about = { plan: 't', settings: '', scrl: '', tensorflow: '', machine: '', missing: [] };
    expect(markdown({ table, done: equal, about })).toMatch(
      /scrl − byol \| – \| ±0\.0 ± 2\.5, 1 of 3: not disting/,
    );
  });
});
