/** One page about a run, or about several of one kind beside each other. */

import { join, resolve } from 'node:path';
import { formatDuration } from '../../core/clock.js';
import { errorMessage, UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { quoteForShell } from '../../core/shell.js';
import {
  code,
  figure,
  folded,
  htmlTable,
  listOf,
  note,
  type PageSection,
  page,
  side,
} from '../../report/page.js';
import { lineChart } from '../../report/svg.js';
import { verdicts } from './gauges.js';
import { bestFigure, type RunRecord, readRun } from './read-run.js';

export interface ReportOptions {
  /** Run folders, all of one kind. */
  readonly runs: readonly string[];
  /** Default: `report.html` in the folder of the first. */
  readonly out?: string | undefined;
}

const PAGE = 'report.html';
/** Metrics that say nothing as curves. */
const UNSHOWN = /^(step|epoch|step_s|wait_s|m|usable_images|boxes\w*|foreground|eval_loss)$/;
/** Curves that come first, in this order. */
const FIRST = ['loss', 'spread', 'val_top1', 'knn_20', 'bbox/AP', 'segm/AP', 'lr'];
/** Of COCO's figures the means over classes only. */
const OF_A_CLASS = /\/AP-|\/AP[sml]$|\/AP75$/;
const MOST_CHARTS = 12;
/** A curve of so many steps or more is drawn smooth, by a fortieth of it. */
const MANY_STEPS = 80;

/** @returns the path of the page @throws UserError when there is no such run, or they are of several kinds */
export async function report({ runs, out }: ReportOptions): Promise<string> {
  const records: RunRecord[] = [];
  for (const folder of runs) records.push(await readRun(resolve(folder)));
  const kinds = new Set(records.map(({ kind }) => kind));
  if (kinds.size > 1) {
    throw new UserError(`runs of several kinds are not compared: ${[...kinds].join(', ')}`, {
      key: 'RUN',
      remedy: 'give runs of one kind',
    });
  }
  const path = out ?? join(records[0].folder, PAGE);
  await writeFileAtomic(path, runsPage(records));
  return path;
}

/** A run's own page, at its end; the run still holds its lock. A page that cannot be written is no reason for a run to fail. */
export async function writeRunPage(folder: string, interrupted: boolean, log: Log): Promise<void> {
  try {
    const record = await readRun(folder);
    const state = interrupted ? 'stopped' : 'finished';
    await writeFileAtomic(join(folder, PAGE), runsPage([{ ...record, state }]));
  } catch (error) {
    log.warn(`${join(folder, PAGE)} could not be written: ${errorMessage(error)}`);
  }
}

export function runsPage(records: readonly RunRecord[]): string {
  const [first] = records;
  const title =
    records.length === 1
      ? `${first.kind}: ${first.name}`
      : `${records.length} runs of ${first.kind} compared`;
  return page({
    title: title[0].toUpperCase() + title.slice(1),
    lead: records.map(({ folder }) => folder).join(', '),
    sections: [
      { title: 'Runs', html: overview(records) },
      ...records.map(
        (record): PageSection => ({
          title: records.length === 1 ? 'In words' : record.name,
          html: listOf(verdicts(record)),
        }),
      ),
      { title: 'Curves', html: curves(records) },
      { title: 'Settings', html: settings(records) },
      { title: 'Next', html: code(nextCommands(first).join('\n')) },
    ],
  });
}

function overview(records: readonly RunRecord[]): string {
  return htmlTable(
    ['run', 'recipe', 'state', 'steps', 'time', 'best', 'seed'],
    records.map((record) => {
      const best = bestFigure(record);
      const seconds = record.metrics.reduce(
        (sum, { step_s: step = 0, wait_s: wait = 0 }) => sum + step + wait,
        0,
      );
      return [
        record.name,
        record.recipe,
        record.state,
        String(record.steps),
        formatDuration(seconds),
        best === undefined ? '–' : `${best.name} ${best.value.toFixed(1)} %`,
        record.settings.get('seed') ?? '–',
      ];
    }),
  );
}

function curves(records: readonly RunRecord[]): string {
  const all = new Set(records.flatMap(({ metrics }) => metrics.flatMap((row) => Object.keys(row))));
  const rest = [...all]
    .filter((name) => !FIRST.includes(name) && !UNSHOWN.test(name) && !OF_A_CLASS.test(name))
    .sort();
  const names = [...FIRST.filter((name) => all.has(name)), ...rest].slice(0, MOST_CHARTS);
  return side(names.map((name) => figure(chart(name, records))));
}

function chart(name: string, records: readonly RunRecord[]): string {
  const series = records.map((record) => {
    const rows = record.metrics.filter((row) => row[name] !== undefined);
    const smooth = rows.length >= MANY_STEPS && name !== 'lr' ? { smooth: Math.round(rows.length / 40) } : {};
    return {
      name: record.name,
      x: rows.map(({ step }) => step + 1),
      y: rows.map((row) => row[name]),
      ...smooth,
    };
  });
  return lineChart({ title: name, xLabel: 'steps', yLabel: '', series, width: 560, height: 320 });
}

/** Of one run all; of several what differs. */
function settings(records: readonly RunRecord[]): string {
  const paths = [...new Set(records.flatMap(({ settings }) => [...settings.keys()]))];
  const values = (path: string) => records.map(({ settings }) => settings.get(path) ?? '–');
  if (records.length === 1) {
    const lines = paths.map((path) => [path, ...values(path)]);
    return folded(`all ${paths.length} settings`, htmlTable(['', 'value'], lines, { long: true }));
  }
  const differing = paths.filter(
    (path) => new Set(values(path)).size > 1 && !/^(save_dir|top_dir)$/.test(path),
  );
  if (differing.length === 0) return note('no setting differs');
  return htmlTable(
    ['', ...records.map(({ name }) => name)],
    differing.map((path) => [path, ...values(path)]),
    { long: true },
  );
}

/** What is done with such a run. */
export function nextCommands({ kind, state, folder }: RunRecord): string[] {
  const run = quoteForShell([folder]);
  if (state === 'stopped' && kind !== 'linear evaluation') {
    return [`scrl ${kind === 'detector' ? 'detect train' : 'pretrain'} --resume ${run}`];
  }
  if (kind === 'detector') {
    return [
      `scrl detect predict --weights ${run} IMAGES --out found`,
      `scrl detect eval --weights ${run} --annotations JSON --images DIR --out evaluation`,
      `scrl convert ${run} detector.pkl`,
    ];
  }
  if (kind === 'linear evaluation') return ['scrl runs'];
  return [
    `scrl knn --weights ${run} --dataset/root LABELLED`,
    `scrl linear --load_dir ${run} --config RECIPE --dataset/root LABELLED`,
    `scrl convert ${run} backbone.pkl`,
    `scrl detect train --config one_machine --weights ${run} --dataset/train/images DIR --dataset/train/annotations JSON`,
  ];
}
