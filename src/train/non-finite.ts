/** What is left behind when a loss is no number any more: the batch that led to it, to look at and to run again. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TensorSource } from '../core/array.js';
import { UserError } from '../core/errors.js';
import { writeTorchFile } from '../formats/torch-pth.js';
import type { FileValue } from '../formats/value.js';
import type { Metrics } from '../report/sink.js';

/** A batch, as far as it is kept. */
export interface Evidence {
  readonly tensors: Readonly<Record<string, TensorSource>>;
  /** What fits into JSON: files, draws. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What was seen, and what to do. */
export interface NonFinite {
  readonly step: number;
  readonly outputs: Metrics;
  /** Default: that the loss is not finite. */
  readonly problem?: string;
  /** What to change. */
  readonly remedy: string;
}

/**
 * Writes `nonfinite_step_{step}.pth` and `.json` into the run folder. Checkpoints are untouched.
 *
 * @throws UserError always
 */
export async function stopOnNonFinite(
  folder: string,
  { step, outputs, problem = `the loss of step ${step} is ${outputs.loss}`, remedy }: NonFinite,
  { tensors, facts }: Evidence,
): Promise<never> {
  const base = join(folder, `nonfinite_step_${step}`);
  await writeTorchFile(`${base}.pth`, new Map<string, FileValue>(Object.entries(tensors)));
  await writeFile(`${base}.json`, JSON.stringify({ step, outputs, ...facts }, named, 1));
  throw new UserError(`${problem}; training was stopped`, {
    where: folder,
    remedy: `the batch was saved as ${base}.pth (read it with torch.load, or readTorchFile of scrl-detect/formats) and .json, and checkpoint_last.pth is from before it. ${remedy}`,
  });
}

/** JSON has no NaN and no infinities: they become texts. */
function named(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
