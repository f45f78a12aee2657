/** The plan of a results table: its rows and columns, the data, and the recipes behind its cells. */

import { type ConfigOf, defineSchema, type RuleOf, type Section } from '../define-schema.js';
import { boolean, integer, integers, nullable, number, numbers, string, texts } from '../leaf.js';
import { ENGINE } from './sections.js';

/** Rows that are made here; any other is NAME=WEIGHTS. */
export const ROWS = ['random', 'supervised', 'byol', 'scrl'] as const;
export const COLUMNS = ['linear_online', 'linear_offline', 'faster', 'mask'] as const;
export type ColumnName = (typeof COLUMNS)[number];

const file = (description: string) => nullable(string('', description), null);

const recipe = (value: string, of: string) => ({
  recipe: string(value, `${of}: the name of a recipe, or a YAML file`),
  set: texts([], 'what differs from the recipe: KEY=VALUE, as on the command line without dashes'),
});

const FIELDS = {
  out: string('results', 'folder of the runs and of the table'),
  rows: texts([...ROWS], `rows of the table: ${ROWS.join(', ')}, or NAME=WEIGHTS, a file or a run folder`),
  columns: texts([...COLUMNS], `columns of the table, of ${COLUMNS.join(', ')}`),
  seeds: integers(
    [0],
    { min: 0 },
    'seeds; every row has all of them, and differences are taken seed by seed',
  ),
  data: {
    pretrain: file(
      'folder of images to pretrain on; the supervised row and linear_online need class folders',
    ),
    classes: file('folder with train/CLASS and val/CLASS, for linear_offline'),
    train: {
      images: file('folder of training images of the detectors'),
      annotations: file('their annotations, COCO'),
    },
    val: {
      images: file('folder of validation images of the detectors'),
      annotations: file('their annotations, COCO'),
    },
  },
  pretrain: {
    ...recipe('scrl_200ep', 'SCRL'),
    byol: file("recipe of BYOL; null = SCRL's recipe with network/scrl/enabled false"),
    supervised_set: texts(
      [],
      'what differs for the supervised row, which is a linear evaluation with eval/finetune: KEY=VALUE',
    ),
  },
  linear: {
    ...recipe('scrl_200ep', 'the linear evaluation'),
    fast: boolean(false, 'compute features of centre crops once; minutes, but not the protocol'),
    rates: numbers(
      [0.5],
      { above: 0 },
      'rates of the classifier (eval/optim/lr); each row takes the best on held-out images',
    ),
    held_out: number(
      0.2,
      { above: 0, below: 1 },
      'share of the training images of each class that chooses the rate',
    ),
  },
  faster: recipe('faster_rcnn_R_50_FPN_1x_r1', 'Faster R-CNN'),
  mask: recipe('mask_rcnn_R_50_FPN_1x_r1', 'Mask R-CNN'),
  bootstrap: integer(200, { min: 0 }, 'draws of validation images for the noise of one cell; 0 = none'),
  engine: ENGINE,
} as const satisfies Section;

const RULES: RuleOf<typeof FIELDS>[] = [
  {
    keys: ['rows'],
    problem: ({ rows }) => {
      const wrong = rows.find((row) => !isRow(row));
      if (wrong !== undefined)
        return `${JSON.stringify(wrong)} is neither ${ROWS.join(', ')} nor NAME=WEIGHTS`;
      if (rows.length === 0) return 'there are no rows';
      return repeated(rows.map(rowName));
    },
    remedy: 'name rows once each, for example [random, scrl, moco=moco_v2_800ep.pth.tar]',
  },
  {
    keys: ['columns'],
    problem: ({ columns }) => {
      const wrong = columns.find((column) => !COLUMNS.some((known) => known === column));
      if (wrong !== undefined) return `${JSON.stringify(wrong)} is no column`;
      return columns.length === 0 ? 'there are no columns' : repeated(columns);
    },
    remedy: `choose from ${COLUMNS.join(', ')}`,
  },
  {
    keys: ['seeds'],
    problem: ({ seeds }) => (seeds.length === 0 ? 'there are no seeds' : repeated(seeds.map(String))),
    remedy: 'give each seed once, for example [0, 1, 2]',
  },
  {
    keys: ['linear/rates'],
    problem: ({ linear }) => (linear.rates.length === 0 ? 'there are no rates' : undefined),
    remedy: 'give at least one',
  },
];

/** A row of a plan: its name, and its weights where it is not made here. */
export function parseRow(row: string): { readonly name: string; readonly weights?: string } {
  const at = row.indexOf('=');
  return at < 0 ? { name: row } : { name: row.slice(0, at), weights: row.slice(at + 1) };
}

function isRow(row: string): boolean {
  if (ROWS.some((known) => known === row)) return true;
  const { name, weights } = parseRow(row);
  return (
    /^[\w.-]+$/.test(name) && !ROWS.some((known) => known === name) && weights !== undefined && weights !== ''
  );
}

function rowName(row: string): string {
  return parseRow(row).name;
}

function repeated(names: readonly string[]): string | undefined {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? undefined : `${twice} is there twice`;
}

export const RESULTS = defineSchema(FIELDS, { rules: RULES, recipes: 'results' });

export type ResultsConfig = ConfigOf<typeof RESULTS>;
