/**
 * What every training has around its loop, opened in order and closed in reverse whatever happens:
 *
 *     TensorFlow, run folder and its lock, config.yaml and a copy of the file it came from, metrics.jsonl, tboard/
 *
 * A recipe's work is a function of the opened run.
 */

import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasLastCheckpoint, type LoadedCheckpoint, loadCheckpoint } from '../checkpoint/checkpointer.js';
import { UserError } from '../core/errors.js';
import type { LiveLog } from '../core/log.js';
import { writeFileAtomic } from '../core/replace.js';
import type { Skipped } from '../data/list-files.js';
import type { Runtime } from '../engine/runtime.js';
import { MetricsFile } from '../report/jsonl.js';
import type { MetricSink, Metrics } from '../report/sink.js';
import { TensorBoardWriter } from '../report/tensorboard.js';
import { isDue } from './periodic.js';
import { openRunFolder, type RunFolderOptions } from './run-folder.js';

export interface RunOptions {
  readonly folder: RunFolderOptions;
  /** Text of `config.yaml`; without it the one that is there stays. */
  readonly config?: string;
  /** Path of the file that the configuration came from; a copy is kept. */
  readonly configFile?: string;
  /** Steps between events for TensorBoard; 0 or less: every step. */
  readonly eventInterval: number;
  readonly openRuntime: () => Promise<Runtime>;
  /** Asks the run to save and stop after the current step; the reason is the name of the signal. */
  readonly signal?: AbortSignal | undefined;
  readonly log: LiveLog;
}

export interface Run {
  /** Absolute. */
  readonly folder: string;
  readonly runtime: Runtime;
  readonly log: LiveLog;
  /** Whether the run was asked to stop. */
  readonly stopping: boolean;
  /** Keeps the configuration and opens the sinks. @param step the first that will be written; later ones of an earlier process are dropped */
  openSinks(step: number): Promise<void>;
  /** Writes a step's numbers to all sinks. @param step counted from 0 */
  record(step: number, metrics: Metrics): void;
}

/**
 * Opens a run, gives it to `work`, and closes it. A folder that was made for a run whose loop never began is removed again.
 *
 * @throws UserError when the folder cannot be made or written, or another process trains in it
 */
export async function withRun<T>(options: RunOptions, work: (run: Run) => Promise<T>): Promise<T> {
  const { log, signal } = options;
  const closers: (() => unknown)[] = [];
  try {
    const runtime = await options.openRuntime();
    closers.push(() => runtime.close());
    const { path: folder, release, discard } = await openRunFolder({ log, ...options.folder });
    let begun = false;
    closers.push(() => (begun ? undefined : discard()), release, announceStop(signal, log));
    log.info(`run folder: ${folder}`);
    const sinks: MetricSink[] = [];
    closers.push(() => closeAll(sinks.map((sink) => () => sink.close())));
    return await work({
      folder,
      runtime,
      log,
      get stopping() {
        return signal?.aborted === true;
      },
      async openSinks(fromStep) {
        begun = true;
        await keepConfig(folder, options);
        sinks.push(await MetricsFile.open(join(folder, 'metrics.jsonl'), fromStep, log));
        const events = new TensorBoardWriter(join(folder, 'tboard'), { fromStep, log });
        sinks.push(everyStep(options.eventInterval, events));
      },
      record(step, metrics) {
        for (const sink of sinks) sink.write(step, metrics);
      },
    });
  } finally {
    await closeAll(closers);
  }
}

/** Not before the first step is due: a start that is refused leaves an earlier run's configuration as it was. */
async function keepConfig(folder: string, { config, configFile }: RunOptions): Promise<void> {
  if (config !== undefined) await writeFileAtomic(join(folder, 'config.yaml'), config);
  if (configFile !== undefined) await copyFile(configFile, join(folder, `original_${basename(configFile)}`));
}

/** Says that the run is about to stop. @returns ends listening */
function announceStop(signal: AbortSignal | undefined, log: LiveLog): () => void {
  const say = () => log.info(`${String(signal?.reason)}: saving after this step; again to stop at once`);
  signal?.addEventListener('abort', say);
  return () => signal?.removeEventListener('abort', say);
}

/** Last opened, first closed; one that fails does not keep the others open. @throws the first error */
async function closeAll(closers: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Passes every n-th step on, the first one too; 1 or less: every step. */
function everyStep(interval: number, sink: MetricSink): MetricSink {
  const every = { steps: Math.max(1, interval) };
  return {
    write: (step, metrics) => {
      if (isDue(every, step)) sink.write(step, metrics);
    },
    close: () => sink.close(),
  };
}

/**
 * The checkpoint that a run goes on from: the last one of `loadDir`, or else of its own folder.
 *
 * @returns undefined when there is nothing to resume
 * @throws UserError when `loadDir` has no checkpoint, or the file is damaged
 */
export async function lastCheckpoint(
  { folder, log }: Pick<Run, 'folder' | 'log'>,
  { overwrite, loadDir = null }: { overwrite: boolean; loadDir?: string | null },
): Promise<LoadedCheckpoint | undefined> {
  if (overwrite && loadDir === null) return undefined;
  const source = loadDir ?? folder;
  if (await hasLastCheckpoint(source)) return loadCheckpoint(source, log);
  if (loadDir === null) return undefined;
  throw new UserError('there is no checkpoint_last.pth to load', {
    where: loadDir,
    key: 'load_dir',
    remedy: 'give the folder of an earlier run, or leave load_dir away to start from scratch',
  });
}

/** Lists the files that cannot be used in `skipped_images.tsv`; none, no file. */
export async function writeSkipped(folder: string, skipped: readonly Skipped[]): Promise<void> {
  const lines = skipped.map(({ path, reason }) => `${path}\t${reason}\n`);
  if (lines.length > 0) await writeFileAtomic(join(folder, 'skipped_images.tsv'), lines.join(''));
}
