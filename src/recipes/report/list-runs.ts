/** The runs in a folder, newest first. */

import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import { namesIn } from '../../core/fs.js';
import { bestFigure, type RunKind, readRun } from './read-run.js';

export interface ListedRun {
  readonly folder: string;
  readonly kind: RunKind;
  readonly recipe: string;
  readonly state: 'running' | 'finished' | 'stopped';
  readonly steps: number;
  readonly best: { readonly name: string; readonly value: number } | undefined;
  /** Seconds since it last wrote something. */
  readonly age: number;
}

/** @throws UserError when there is none */
export async function listRuns(folder: string): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  for (const name of (await namesIn(folder)).sort()) {
    const path = join(folder, name);
    const record = await readRun(path).catch((error) => {
      // Something else, or a run whose files are damaged.
      if (error instanceof UserError) return undefined;
      throw error;
    });
    if (record === undefined) continue;
    const { kind, recipe, state, steps, changed } = record;
    runs.push({
      folder: path,
      kind,
      recipe,
      state,
      steps,
      best: bestFigure(record),
      age: (Date.now() - changed) / 1000,
    });
  }
  if (runs.length > 0) return runs.sort((a, b) => a.age - b.age);
  throw new UserError('there are no runs in it', {
    where: resolve(folder),
    remedy: 'name the folder that holds run folders: scrl runs FOLDER',
  });
}
