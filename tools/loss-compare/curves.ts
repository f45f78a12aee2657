/** Reads and compares the figures of runs, step by step, to the last bit. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The figures of a step by their names, as `metrics.jsonl` has them. */
export type Figures = Readonly<Record<string, unknown>>;

export interface Comparison {
  readonly steps: number;
  /** Names that both runs have. */
  readonly compared: readonly string[];
  /** Names that only one of the runs has. */
  readonly alone: readonly string[];
  readonly difference?: {
    /** Counted from 0, as in the file. */
    readonly step: number;
    readonly name: string;
    readonly values: readonly [unknown, unknown];
  };
}

export async function readCurve(runFolder: string): Promise<Figures[]> {
  const text = await readFile(join(runFolder, 'metrics.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Figures);
}

/**
 * Finds the first step at which two runs differ; a run that ends earlier differs there. Durations (`..._s`) are left out.
 *
 * @throws Error when the runs have no loss in common, so that nothing would be compared
 */
export function compareCurves(first: readonly Figures[], second: readonly Figures[]): Comparison {
  const [ours, theirs] = [first, second].map(namesOf);
  const compared = [...ours].filter((name) => theirs.has(name));
  if (!compared.includes('loss')) throw new Error('the runs have no `loss` in common');
  const alone = [...ours, ...theirs].filter((name) => !compared.includes(name));
  const steps = Math.max(first.length, second.length);
  for (let step = 0; step < steps; step++) {
    for (const name of ['loss', ...compared]) {
      const values = [first[step]?.[name], second[step]?.[name]] as const;
      if (!Object.is(...values)) return { steps, compared, alone, difference: { step, name, values } };
    }
  }
  return { steps, compared, alone };
}

function namesOf(curve: readonly Figures[]): Set<string> {
  return new Set(curve.flatMap((figures) => Object.keys(figures)).filter((name) => !name.endsWith('_s')));
}
