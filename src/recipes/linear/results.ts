/** The figures of a linear evaluation: `results.json`, and a line of `log_result.txt` as the reference appends one. */

import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainWriteError } from '../../core/fs.js';
import { writeFileAtomic } from '../../core/replace.js';

export interface EpochResult {
  /** Counted from 1. */
  readonly epoch: number;
  /** Percent of the validation images. */
  readonly top1: number;
  readonly top5: number;
  /** Validation images that were counted. */
  readonly images: number;
}

export interface LinearSummary {
  readonly config: string;
  /** `linear evaluation`, or what was done instead. */
  readonly protocol: string;
  /** True for the reference's protocol only. */
  readonly comparable: boolean;
  readonly weights: string;
  readonly network: string;
  readonly classes: number;
  readonly train_images: number;
  readonly val_images: number;
  readonly epochs: number;
  /** The result. */
  readonly last: EpochResult;
  /** The best of all validations: optimistic, as the validation images chose it. */
  readonly best: EpochResult;
  readonly history: readonly EpochResult[];
}

export function bestOf(history: readonly EpochResult[]): EpochResult {
  return history.reduce((best, result) => (result.top1 > best.top1 ? result : best));
}

/** @param folder of the evaluation @throws UserError when it cannot be written */
export async function writeResults(folder: string, summary: LinearSummary): Promise<void> {
  await writeFileAtomic(join(folder, 'results.json'), `${JSON.stringify(summary, null, 2)}\n`);
  const path = join(folder, 'log_result.txt');
  const { config, protocol, last, best } = summary;
  const line = `${config} ${protocol}: last ${figures(last)}, best ${figures(best)}\n`;
  await appendFile(path, line).catch((error) => {
    throw explainWriteError(path, error);
  });
}

/** As the reference prints them: percent with three decimals. */
export function figures({ epoch, top1, top5 }: EpochResult): string {
  return `top-1 ${top1.toFixed(3)} %, top-5 ${top5.toFixed(3)} % (epoch ${epoch})`;
}
