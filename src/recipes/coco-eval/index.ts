/** Evaluates a results file by the rules of COCO or LVIS, and writes the report that is asked for. */

import { type LiveLog, SILENT } from '../../core/log.js';
import {
  type EvaluateFilesOptions,
  evaluateFiles,
  type FileEvaluation,
} from '../../pycocotools/files/evaluate-files.js';
import { Progress } from '../../report/progress.js';
import { type CategoryRow, categoryRows } from './categories.js';
import { prepareReport, writeReport } from './report.js';

export interface CocoEvalOptions extends Omit<EvaluateFilesOptions, 'onProgress'> {
  /** Figures of each category too. */
  readonly perCategory?: boolean;
  /** Folder for report.html, categories.csv and curves.csv. */
  readonly out?: string | undefined;
  /** Replace what is in that folder. */
  readonly overwrite?: boolean;
  readonly log?: LiveLog;
}

export interface CocoEvaluation extends FileEvaluation {
  /** In the order of the ground truth; empty when they are not asked for. */
  readonly categories: readonly CategoryRow[];
}

/** @throws UserError naming the file, and the byte or annotation that is wrong */
export async function cocoEval({
  perCategory = false,
  out,
  overwrite = false,
  log = SILENT,
  ...options
}: CocoEvalOptions): Promise<CocoEvaluation> {
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
  const categories = perCategory || out !== undefined ? categoryRows(evaluation) : [];
  if (out !== undefined) {
    const file = await writeReport(out, evaluation, categories, options);
    log.info(`report: ${file}`);
  }
  return { ...evaluation, categories };
}
