/** Computes one cell: the runs behind it, and its figures. A cell that was stopped goes on from its last checkpoint. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResultsConfig } from '../../config/schemas/results.js';
import { errorMessage, UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { detectTrain } from '../detect/index.js';
import { predict } from '../detect/predict.js';
import { type LinearOutcome, linear } from '../linear/index.js';
import { pretrain } from '../pretrain/index.js';
import { openImages } from '../shared/open-images.js';
import { accuracyNoise, detectionNoise } from './bootstrap.js';
import type { Cell } from './cells.js';
import { FIGURES } from './columns.js';
import { holdOut } from './hold-out.js';
import type { CellResult } from './results-folder.js';
import { PICTURES } from './results-page.js';
import { detectConfig, linearConfig, pretrainConfig, supervisedConfig } from './settings.js';

export interface CellContext {
  readonly plan: ResultsConfig;
  /** Of the cell's runs. */
  readonly folder: string;
  /** Of the links that choose the classifier's rate; the same for all cells. */
  readonly heldOut: string;
  /** Weights that the cell starts from; absent: random. */
  readonly weights: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly log: LiveLog;
}

export type Measured = Pick<CellResult, 'figures' | 'noise' | 'notes'>;

/** @returns undefined when it was asked to stop */
export async function runCell(cell: Cell, context: CellContext): Promise<Measured | undefined> {
  switch (cell.kind) {
    case 'pretrain':
      return runPretraining(cell, context);
    case 'linear':
      return runLinear(cell, context);
    default:
      return runDetector({ ...cell, kind: cell.kind }, context);
  }
}

async function runPretraining(cell: Cell, context: CellContext): Promise<Measured | undefined> {
  const { plan, folder, signal, log } = context;
  const { source } = cell.row;
  if (source.kind !== 'pretrained') throw new Error(`${cell.id} has nothing to pretrain`);
  if (source.method === 'supervised') return runSupervised(cell, context);
  const { resolved, configFile } = pretrainConfig(plan, cell, source.method, folder);
  const { interrupted } = await pretrain({ resolved, configFile, signal, log });
  if (interrupted) return undefined;
  const figures = await lastFigures(join(folder, 'metrics.jsonl'), ['loss', 'spread', FIGURES.online]);
  return { figures, noise: {}, notes: {} };
}

async function runSupervised(
  cell: Cell,
  { plan, folder, signal, log }: CellContext,
): Promise<Measured | undefined> {
  const { resolved } = supervisedConfig(plan, cell, folder);
  const { summary, interrupted } = await linear({ resolved, source: 'random', signal, log });
  if (interrupted || summary === undefined) return undefined;
  const { top1, images } = summary.last;
  const online = FIGURES.online;
  return { figures: { [online]: top1 }, noise: { [online]: accuracyNoise(top1, images) }, notes: {} };
}

/** The last value of each of these metrics, of those that there are. */
async function lastFigures(path: string, names: readonly string[]): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    if (line === '') continue;
    const metrics = JSON.parse(line) as Record<string, unknown>;
    for (const name of names) {
      const value = metrics[name];
      if (typeof value === 'number') figures[name] = value;
    }
  }
  return figures;
}

async function runLinear(cell: Cell, context: CellContext): Promise<Measured | undefined> {
  const { plan, folder, heldOut } = context;
  const { rates, held_out: share } = plan.linear;
  const root = String(plan.data.classes);
  let [rate] = rates;
  if (rates.length > 1) {
    if (!existsSync(heldOut))
      await holdOut(await openImages({ root, split: 'train' }, context.log), share, heldOut);
    const accuracies: number[] = [];
    for (const tried of rates) {
      const found = await evaluate(cell, context, { root: heldOut, rate: tried, name: `rate-${tried}` });
      if (found.interrupted) return undefined;
      accuracies.push(found.summary?.last.top1 ?? Number.NaN);
    }
    rate = rates[accuracies.indexOf(Math.max(...accuracies))];
    context.log.info(
      `${cell.id}: of the rates ${rates.join(', ')} (held out: ${accuracies.map((a) => a.toFixed(1)).join(', ')} %) it takes ${rate}`,
    );
  }
  await mkdir(folder, { recursive: true });
  const { summary, interrupted } = await evaluate(cell, context, { root, rate, name: 'final' });
  if (interrupted || summary === undefined) return undefined;
  const { top1, top5, images } = summary.last;
  return {
    figures: { top1, top5 },
    noise: { top1: accuracyNoise(top1, images) },
    notes: { rate, protocol: summary.protocol, images },
  };
}

function evaluate(
  cell: Cell,
  { plan, folder, weights, signal, log }: CellContext,
  { root, rate, name }: { root: string; rate: number; name: string },
): Promise<LinearOutcome> {
  const { resolved } = linearConfig(plan, cell, { root, rate, folder: join(folder, name) });
  const source = weights === undefined ? 'random' : { path: weights };
  return linear({ resolved, source, fast: plan.linear.fast, signal, log });
}

const RESULTS = 'results.json';
/** Validation images of which detections are drawn. */
const DRAWN = 2;

async function runDetector(
  cell: Cell & { readonly kind: 'faster' | 'mask' },
  { plan, folder, weights, signal, log }: CellContext,
): Promise<Measured | undefined> {
  const { resolved, configFile } = detectConfig(plan, cell, folder);
  const { interrupted, protocol } = await detectTrain({ resolved, configFile, weights, signal, log });
  if (interrupted) return undefined;
  const { figures } = JSON.parse(await readFile(join(folder, RESULTS), 'utf8')) as {
    figures: Record<string, number>;
  };
  const annotations = String(plan.data.val.annotations);
  const draws = { draws: plan.bootstrap, masks: cell.kind === 'mask' };
  if (plan.bootstrap > 0) log.info(`${cell.id}: ${plan.bootstrap} draws of the validation images`);
  if (cell.seed === plan.seeds[0]) await drawSome(plan, folder, log);
  return {
    figures,
    noise: await detectionNoise(annotations, join(folder, 'coco_instances_results.json'), draws),
    notes: { protocol },
  };
}

/** What the detector finds in the first validation images: the same ones for every row. */
async function drawSome(plan: ResultsConfig, folder: string, log: LiveLog): Promise<void> {
  const root = String(plan.data.val.images);
  const images = (await readdir(root))
    .sort()
    .slice(0, DRAWN)
    .map((name) => join(root, name));
  const options = { weights: folder, images, out: join(folder, PICTURES), engine: plan.engine, log };
  await predict(options).catch((error) => log.warn(`no pictures: ${errorMessage(error)}`));
}

/** @throws UserError naming the data that the plan's columns need and do not have, or that are not there */
export async function requireData({ data, columns, rows }: ResultsConfig): Promise<void> {
  const makesBackbones = rows.some((row) => row === 'scrl' || row === 'byol' || row === 'supervised');
  const detects = columns.some((column) => column === 'faster' || column === 'mask');
  for (const [key, value, needed] of [
    ['data/pretrain', data.pretrain, makesBackbones],
    ['data/classes', data.classes, columns.includes('linear_offline')],
    ['data/train/images', data.train.images, detects],
    ['data/train/annotations', data.train.annotations, detects],
    ['data/val/images', data.val.images, detects],
    ['data/val/annotations', data.val.annotations, detects],
  ] as const) {
    if (!needed) continue;
    if (value !== null) {
      const exists = await stat(value).then(
        () => true,
        () => false,
      );
      if (!exists) throw new UserError('there is no such file or folder', { where: value, key });
      continue;
    }
    throw new UserError('is not given, but the rows and columns of the plan need it', {
      key,
      remedy: `add --${key} PATH, or leave out ${key === 'data/pretrain' ? 'rows' : 'columns'}`,
    });
  }
}
