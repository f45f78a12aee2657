/** `scrl coco-eval`: evaluates a results file and says the figures in the form that is asked for. */

import type { LiveLog } from '../../core/log.js';
import { formatSummary } from '../../pycocotools/evaluation/summarize.js';
import { type EvaluateFilesOptions, evaluateFiles } from '../../pycocotools/files/evaluate-files.js';
import { Progress } from '../../report/progress.js';
import { categoryRows, categoryText } from './category-table.js';
import { prepareReport, writeReport } from './report.js';

export interface CocoEvalOptions extends Omit<EvaluateFilesOptions, 'onProgress'> {
  /** Print one JSON object instead of the table. */
  json: boolean;
  perCategory: boolean;
  /** Folder for the report. */
  out?: string | undefined;
  overwrite: boolean;
  log: LiveLog;
  print: (text: string) => void;
}

/** @throws UserError naming the file, and the byte or annotation that is wrong */
export async function cocoEval({
  json,
  perCategory,
  out,
  overwrite,
  log,
  print,
  ...options
}: CocoEvalOptions): Promise<void> {
  // Before the work, not after it.
  if (out !== undefined) await prepareReport(out, overwrite);
  const started = performance.now();
  let progress: { phase: string; line: Progress } | undefined;
  const finish = () => {
    progress?.line.update(100);
    progress?.line.finish();
  };
  const evaluation = await evaluateFiles({
    ...options,
    onProgress: (phase, share) => {
      // Work of less than a second needs no line.
      if (performance.now() - started < 1000) return;
      if (progress?.phase !== phase) {
        finish();
        progress = { phase, line: new Progress(log, { label: phase, total: 100, unit: '%' }) };
      }
      progress.line.update(Math.floor(100 * share));
    },
  });
  finish();
  const { unknown } = evaluation;
  if (unknown.results > 0) {
    log.warn(
      `${unknown.results} of ${evaluation.results.count} results are not evaluated: the ground truth has no category ` +
        `${unknown.ids.slice(0, 5).join(', ')}${unknown.ids.length > 5 ? ', ...' : ''}`,
    );
  }
  const { summary, params, timings, threads } = evaluation;
  const rows = perCategory || out !== undefined ? categoryRows(evaluation) : [];
  if (json) {
    const { read, evaluate } = timings;
    print(
      JSON.stringify({
        type: params.iouType,
        stats: summary.map(({ value }) => value),
        seconds: { read, evaluate },
        threads,
        ...(perCategory && { categories: rows }),
      }),
    );
  } else {
    print(formatSummary(summary, params));
    if (perCategory) print(`\n${categoryText(rows)}`);
  }
  if (out !== undefined) {
    const file = await writeReport(out, evaluation, rows, options);
    log.info(`report: ${file}`);
  }
}
