/** Trains with two commits, one after the other, and compares what they wrote. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Comparison, compareCurves, readCurve } from './curves.js';
import { forgetWorktrees, openSide, runSide, type Side } from './side.js';

/** A command line of `scrl` that writes `metrics.jsonl` into `--save_dir`. */
export interface Training {
  /** Unique; the name of its folder. */
  readonly name: string;
  /** @param runs where this side's trainings are, each in a folder of its name */
  args(runs: string): readonly string[];
}

export interface CompareOptions {
  /** A working tree of the repository. */
  readonly root: string;
  /** Commits; undefined is the working tree. */
  readonly revisions: readonly [string, string | undefined];
  /** In their order: one may use what those before it wrote. */
  readonly trainings: readonly Training[];
  /** @param name of the training */
  readonly onCompared: (name: string, comparison: Comparison) => void;
  readonly onProgress?: (doing: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Leaves nothing behind.
 *
 * @returns whether all are equal
 * @throws UserError when a side cannot be built or a training fails
 */
export async function compareCommits(options: CompareOptions): Promise<boolean> {
  const { root, revisions, trainings, onCompared, onProgress = () => undefined, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'loss-compare-'));
  const places = ['first', 'second'].map((name) => join(folder, name));
  const sides: Side[] = [];
  try {
    for (const [i, revision] of revisions.entries()) {
      onProgress(`building ${revision ?? 'the working tree'}`);
      sides.push(await openSide(root, revision, places[i], signal));
    }
    let equal = true;
    for (const training of trainings) {
      for (const [i, side] of sides.entries()) {
        const runs = join(folder, `runs-${i}`);
        onProgress(`${training.name} with ${side.name}`);
        await runSide(side, [...training.args(runs), '--save_dir', join(runs, training.name)], signal);
      }
      const [first, second] = await Promise.all(
        sides.map((_, i) => readCurve(join(folder, `runs-${i}`, training.name))),
      );
      const comparison = compareCurves(first, second);
      onCompared(training.name, comparison);
      equal &&= comparison.difference === undefined;
    }
    return equal;
  } finally {
    await rm(folder, { recursive: true, force: true });
    await forgetWorktrees(root);
  }
}
