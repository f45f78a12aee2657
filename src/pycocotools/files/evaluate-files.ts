/**
 * Evaluation of two files, as fast as the machine allows: both are read into columns, the results by all threads at once,
 * and the categories are shared out among the threads. The figures are those of `COCOeval`, whatever the number of threads.
 */

import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { errorMessage, UserError } from '../../core/errors.js';
import { consume } from '../dataset/open.js';
import { type Curves, emptyCurves } from '../evaluation/evaluate.js';
import { frequenciesOf } from '../evaluation/federated.js';
import { checkReferences, normalizeParams, type UnknownCategories } from '../evaluation/input.js';
import { defaultParams, federatedParams, type IouType, type Params } from '../evaluation/params.js';
import { type Summary, summarize } from '../evaluation/summarize.js';
import { fileSource } from '../json/source.js';
import { AnnotationTable } from '../table/annotation-table.js';
import { IdCodes } from '../table/id-codes.js';
import { keepFor } from '../table/read-annotation.js';
import { type DatasetTable, readDatasetTable } from '../table/read-dataset.js';
import { readKind } from '../table/read-results.js';
import { findCuts } from '../table/split.js';
import { Counters, type ReadDone, type ReadTask, runEvaluate, runRead } from './tasks.js';
import { Team } from './team.js';

export interface EvaluateFilesOptions {
  /** Ground truth and results, JSON files. */
  gt: string;
  dt: string;
  iouType: IouType;
  /** By LVIS's rules; boxes or masks. */
  federated?: boolean;
  /** Changes the parameters before they are used; images and categories are filled in. */
  adjust?: (params: Params) => void;
  /** Threads; all processors when undefined and the files are large enough to be worth it. */
  threads?: number | undefined;
  /** Shares from 0 to 1. */
  onProgress?: (phase: 'reading' | 'evaluating', share: number) => void;
}

export interface FileEvaluation {
  readonly params: Params;
  readonly curves: Curves;
  readonly summary: Summary[];
  readonly dataset: DatasetTable;
  readonly results: AnnotationTable;
  /** Results that are not evaluated, as the ground truth does not have their category. */
  readonly unknown: UnknownCategories;
  readonly threads: number;
  /** Seconds. */
  readonly timings: { readonly read: number; readonly evaluate: number };
}

/** Bytes of files above which threads pay for their start. */
const WORTH_THREADS = 8e6;
const MOST_THREADS = 16;

/** @throws UserError naming the file, and the byte or annotation that is wrong */
export async function evaluateFiles(options: EvaluateFilesOptions): Promise<FileEvaluation> {
  const { gt, dt, iouType, onProgress = () => {} } = options;
  const bytes = { gt: sizeOf(gt), dt: sizeOf(dt) };
  const threads = threadsFor(options, bytes.gt + bytes.dt);
  const counters = new Counters();
  const team = new Team(threads - 1, counters);
  const total = bytes.gt + bytes.dt;
  const reading = () => onProgress('reading', Math.min(1, counters.bytesRead / total));
  try {
    const started = seconds();
    const { dataset, results } = await readBoth(options, bytes, team, counters, reading);
    const read = seconds();

    const params = options.federated ? federatedParams(iouType) : defaultParams(iouType);
    params.imgIds = dataset.images.map(({ id }) => id);
    params.catIds = dataset.categories.map(({ id }) => id);
    options.adjust?.(params);
    normalizeParams(params);
    const input = {
      images: dataset.images,
      categories: dataset.categories,
      truthsWhere: gt,
      resultsWhere: dt,
    };
    const { annotations, ids } = dataset;
    const unknown = checkReferences({ ...input, truths: annotations, results }, params, ids);
    const byId = new Map(dataset.categories.map((category) => [category.id, category]));
    const frequencies = frequenciesOf(params, byId, gt);
    const categories = params.useCats ? params.catIds.length : 1;
    const curves = emptyCurves(params, categories);
    const task = {
      task: 'evaluate',
      ...input,
      truths: dataset.annotations.data,
      results: results.data,
      params,
      curves,
    } as const;
    const evaluating = () => onProgress('evaluating', counters.categoriesDone / categories);
    await withTicks(evaluating, async () => {
      const others = Array.from({ length: team.size }, (_, i) => team.evaluate(i, task));
      const done = await settle(others, () => {
        runEvaluate(task, counters, evaluating);
        return [];
      });
      for (const result of done) if (result.status === 'rejected') throw result.reason;
    });
    return {
      params,
      curves,
      summary: summarize(curves, params, frequencies),
      dataset,
      results,
      unknown,
      threads,
      timings: { read: read - started, evaluate: seconds() - read },
    };
  } finally {
    await team.close();
  }
}

/** One for a pipe: in it nobody can go to where another one reads. */
function threadsFor({ dt, threads }: EvaluateFilesOptions, bytes: number): number {
  if (!statSync(dt).isFile()) return 1;
  return threads ?? (bytes < WORTH_THREADS ? 1 : Math.min(MOST_THREADS, availableParallelism()));
}

async function readBoth(
  { gt, dt, iouType }: EvaluateFilesOptions,
  bytes: { gt: number; dt: number },
  team: Team,
  counters: Counters,
  onProgress: () => void,
): Promise<{ dataset: DatasetTable; results: AnnotationTable }> {
  const keep = keepFor(iouType);
  // The main thread reads the ground truth first, so its share of the results is smaller, and the last.
  const share = (bytes.gt + bytes.dt) / (team.size + 1);
  const near = Array.from({ length: team.size }, (_, i) => Math.floor(Math.min((i + 1) * share, bytes.dt)));
  const kind = team.size === 0 ? undefined : consume(fileSource(dt), readKind);
  const cuts = team.size === 0 || kind === undefined ? [] : findCuts(dt, near);
  const starts = [0, ...cuts];
  const tasks = starts.map(
    (start, i): ReadTask => ({
      task: 'read',
      path: dt,
      start,
      keep,
      kind,
      ...(i + 1 < starts.length && { stop: starts[i + 1] }),
    }),
  );
  return withTicks(onProgress, async () => {
    const others = tasks.slice(0, team.size).map((task, i) => team.read(i, task));
    let dataset: DatasetTable | undefined;
    const parts = await settle(others, () => {
      const onRead = (count: number) => {
        counters.addRead(count);
        onProgress();
      };
      dataset = consume(fileSource(gt, { onRead }), (source) => readDatasetTable(source, keep));
      return tasks.slice(team.size).map((task) => attempt(() => runRead(task, counters, onProgress)));
    });
    if (dataset === undefined) throw new Error('unreachable: the ground truth was read');
    const { ids } = dataset;
    const tables: AnnotationTable[] = [];
    const take = ({ table, texts }: ReadDone) => {
      const opened = AnnotationTable.from(table);
      ids.adopt(opened.columns.image, opened.count, new IdCodes(texts));
      tables.push(opened);
    };
    for (const [i, part] of parts.entries()) {
      if (part.status === 'rejected') throw part.reason;
      const { end } = part.value;
      take(part.value);
      if (end === starts[i + 1]) continue;
      // The end of the file; or else the next cut was none, and what was read from there on, errors included, is void.
      if (end < bytes.dt) {
        const rest = runRead({ task: 'read', path: dt, start: end, keep, kind }, counters);
        take(rest);
      }
      break;
    }
    const results = AnnotationTable.concat(tables);
    for (let row = 0; row < results.count; row++) results.columns.id[row] = row + 1;
    return { dataset, results };
  });
}

/** Does `own` work while `others` do theirs. All have ended when this returns, or throws what `own` throws. */
async function settle<T>(
  others: Promise<T>[],
  own: () => PromiseSettledResult<T>[],
): Promise<PromiseSettledResult<T>[]> {
  // Errors of the others must not count as unhandled while this thread is busy.
  const settled = Promise.allSettled(others);
  const done = attempt(own);
  const results = await settled;
  if (done.status === 'rejected') throw done.reason;
  return [...results, ...done.value];
}

function attempt<T>(work: () => T): PromiseSettledResult<T> {
  try {
    return { status: 'fulfilled', value: work() };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}

/** Calls `tick` now and then while `work` waits. */
async function withTicks<T>(tick: () => void, work: () => Promise<T>): Promise<T> {
  const timer = setInterval(tick, 200);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function seconds(): number {
  return performance.now() / 1000;
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw new UserError(`cannot be read: ${errorMessage(error)}`, { where: path, cause: error });
  }
}
