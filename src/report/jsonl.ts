/**
 * `metrics.jsonl`: one JSON object per line, appended as the run goes.
 *
 * The file is the run's own record: it outlives kill -9 (a half-written last line is dropped on the next start) and
 * holds each step once (a run resumed at step s drops the lines of step s and later, which are computed again).
 * NaN and the infinities do not exist in JSON. They are written as `null`, so that the column stays numeric for other
 * programs, and named under `nonfinite`: `{"step":7,"sLoss":null,"nonfinite":{"sLoss":"NaN"}}`.
 */

import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hasCode } from '../core/errors.js';
import { explainWriteError } from '../core/fs.js';
import { type Log, SILENT } from '../core/log.js';
import { writeFileAtomic } from '../core/replace.js';
import { AppendFile } from './append-file.js';
import type { MetricSink, Metrics } from './sink.js';

const NEWLINE = 10;

export class MetricsFile implements MetricSink {
  readonly #file: AppendFile;

  private constructor(file: AppendFile) {
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  /**
   * Opens the file for appending, after taking out what does not belong there.
   *
   * @param fromStep first step that will be written: 0 for a new run, which empties an old file
   * @throws UserError when the file cannot be written
   */
  static async open(path: string, fromStep: number, log: Log = SILENT): Promise<MetricsFile> {
    await trim(path, fromStep, log);
    try {
      return new MetricsFile(new AppendFile(path, openSync(path, 'a'), log));
    } catch (error) {
      throw explainWriteError(path, error);
    }
  }

  write(step: number, metrics: Metrics): void {
    this.#file.append(Buffer.from(`${formatMetrics(step, metrics)}\n`));
  }

  close(): void {
    this.#file.close();
  }
}

/** One line, without its end. */
export function formatMetrics(step: number, metrics: Metrics): string {
  const special = Object.entries(metrics).filter(([, value]) => !Number.isFinite(value));
  const nonfinite = Object.fromEntries(special.map(([name, value]) => [name, String(value)]));
  return JSON.stringify({ step, ...metrics, ...(special.length > 0 && { nonfinite }) });
}

/** Rewrites the file, whole or not at all, when it has lines that must go. */
async function trim(path: string, fromStep: number, log: Log): Promise<void> {
  const old = await readFile(path).catch((error) => {
    if (hasCode(error, 'ENOENT')) return Buffer.alloc(0);
    throw explainWriteError(path, error);
  });
  const kept: Uint8Array[] = [];
  let broken = 0;
  for (const line of lines(old)) {
    const step = stepOf(line);
    if (step === undefined) broken++;
    else if (step < fromStep) kept.push(line, Uint8Array.of(NEWLINE));
  }
  if (broken > 0) log.warn(`${path}: dropped ${broken} unreadable line${broken > 1 ? 's' : ''}`);
  const content = Buffer.concat(kept);
  if (!content.equals(old)) await writeFileAtomic(path, content);
}

/** Cuts at the ends of lines on bytes: a long run's file may be too long for one string. Skips empty lines. */
function* lines(content: Buffer): Generator<Buffer> {
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf(NEWLINE, start);
    const end = newline < 0 ? content.length : newline;
    if (end > start) yield content.subarray(start, end);
    start = end + 1;
  }
}

/** The step of a line, or undefined when it is no object with a step. */
function stepOf(line: Buffer): number | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('step' in value)) return undefined;
  return typeof value.step === 'number' ? value.step : undefined;
}
