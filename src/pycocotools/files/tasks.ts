/** What threads do for an evaluation of files. The same code runs in the main thread and in the others. */

import { consume } from '../dataset/open.js';
import { type Curves, evaluateCategory } from '../evaluation/evaluate.js';
import { type EvaluationInput, prepareInput } from '../evaluation/input.js';
import type { Params } from '../evaluation/params.js';
import { fileSource } from '../json/source.js';
import { AnnotationTable, type TableData } from '../table/annotation-table.js';
import { type ReadResultsOptions, type ResultsPart, readResults } from '../table/read-results.js';

/** How far the work is; all threads add to it. */
export class Counters {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer = new SharedArrayBuffer(12)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  addRead(bytes: number): void {
    // In KiB, so that files of terabytes fit; what is lost by rounding does not show in a progress line.
    Atomics.add(this.#cells, 0, Math.round(bytes / 1024));
  }

  get bytesRead(): number {
    return 1024 * Atomics.load(this.#cells, 0);
  }

  /** The next category that nobody has taken. */
  takeCategory(): number {
    return Atomics.add(this.#cells, 1, 1);
  }

  finishCategory(): void {
    Atomics.add(this.#cells, 2, 1);
  }

  get categoriesDone(): number {
    return Atomics.load(this.#cells, 2);
  }
}

export interface ReadTask extends ReadResultsOptions {
  readonly task: 'read';
  readonly path: string;
  readonly start: number;
}

export interface ReadDone extends Omit<ResultsPart, 'table'> {
  readonly table: TableData;
}

export interface EvaluateTask extends Omit<EvaluationInput, 'truths' | 'results'> {
  readonly task: 'evaluate';
  readonly truths: TableData;
  readonly results: TableData;
  readonly params: Params;
  /** In shared memory. */
  readonly curves: Curves;
}

export type Task = ReadTask | EvaluateTask;

export function runRead(
  { path, start, ...options }: ReadTask,
  counters: Counters,
  onProgress = () => {},
): ReadDone {
  const source = fileSource(path, {
    start,
    onRead: (bytes) => {
      counters.addRead(bytes);
      onProgress();
    },
  });
  const { table, ...rest } = consume(source, () => readResults(source, options));
  return { table: table.data, ...rest };
}

/** Evaluates categories until none is left. Which thread takes which makes no difference to the curves. */
export function runEvaluate(
  { truths, results, params, curves, ...rest }: EvaluateTask,
  counters: Counters,
  onProgress = () => {},
): void {
  const input = { ...rest, truths: AnnotationTable.from(truths), results: AnnotationTable.from(results) };
  const evaluation = prepareInput(input, params);
  for (let k = counters.takeCategory(); k < evaluation.categories; k = counters.takeCategory()) {
    evaluateCategory(evaluation, k, curves);
    counters.finishCategory();
    onProgress();
  }
}
