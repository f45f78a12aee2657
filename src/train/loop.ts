/**
 * The loop of every training: batches in; steps, metrics, checkpoints and now and then other work out.
 *
 * A recipe says what a step is. The loop makes the next batch while TensorFlow runs a step, names files that could not be
 * decoded, stops at a loss that is no number, saves by a schedule, and stops after the current step when it is asked to. Work
 * is not lost with the images or the disk: when there is no next batch, or other work fails, it saves before it gives up, and a
 * checkpoint that does not fit is tried again.
 */

import { requireSpace } from '../core/disk-space.js';
import { hasCode, UserError } from '../core/errors.js';
import type { Skipped } from '../data/list-files.js';
import { Progress, type ProgressFields } from '../report/progress.js';
import type { Metrics } from '../report/sink.js';
import { type Evidence, stopOnNonFinite } from './non-finite.js';
import { type Every, isDue, type Length } from './periodic.js';
import type { Run } from './run.js';

/** What the loop looks at in a batch. */
export interface TaskBatch {
  /** Files that could not be decoded, and in whose place others are. */
  readonly replaced?: readonly Skipped[];
}

export interface StepContext {
  /** Counted from 0 over the whole run. */
  readonly step: number;
  /** Counted from 0. */
  readonly epoch: number;
  /** Seconds that the loop waited for the batch. */
  readonly waited: number;
}

/** Work between two steps: a validation, for instance. Its time does not count as training. */
export interface PeriodicWork {
  readonly every: Every;
  /** Done even when the run is about to stop. */
  readonly always?: boolean;
  /** @param step number of steps done @returns figures that join the metrics of the last step */
  run(step: number): Promise<Metrics>;
}

/** `kept`: a checkpoint of its own. `rolling`: replaces the last rolling one. */
export type SaveKind = 'kept' | 'rolling';

export interface Task<B extends TaskBatch> {
  /** Shown before the progress. */
  readonly label: string;
  readonly length: Length;
  /** Images of a whole batch, for the rate. */
  readonly imagesPerStep: number;
  /** Batches of an epoch. @param firstStep within the epoch */
  batches(epoch: number, firstStep: number): AsyncGenerator<B, void, void>;
  /** Runs a step. A `loss` among its metrics has to be finite. */
  step(batch: B, context: StepContext): Promise<Metrics>;
  /** What the progress line shows of the metrics. */
  fields(metrics: Metrics): ProgressFields;
  readonly works?: readonly PeriodicWork[];
  readonly saves: Readonly<Record<SaveKind, Every>>;
  /** Writes a checkpoint. @param step number of steps done */
  save(step: number, kind: SaveKind): Promise<unknown>;
  /** What is kept of a batch whose loss is not finite. */
  evidence(batch: B): Evidence;
  /** What to change then. */
  readonly remedy: string;
}

export interface LoopResult {
  /** Steps done, over all epochs. */
  readonly step: number;
  /** The run was asked to stop before its end. */
  readonly interrupted: boolean;
  /** Files that could not be decoded, each once. */
  readonly undecodable: readonly Skipped[];
  /** Share of the time outside of steps; waiting for data, saving and periodic work are not counted. */
  readonly outsideShare: number;
}

/** @param start number of steps that were done before */
export async function runLoop<B extends TaskBatch>(
  run: Run,
  task: Task<B>,
  start: number,
): Promise<LoopResult> {
  if (start < task.length.totalSteps) await requireRoom(run);
  await run.openSinks(start);
  const loop = new Loop(run, task, start);
  try {
    for await (const ready of oneAhead(run, task, start)) {
      const metrics = await loop.train(ready);
      await loop.work(metrics);
      loop.record(metrics);
      await loop.saveWhenDue();
      if (run.stopping) break;
    }
  } catch (error) {
    if (error instanceof NoBatch) {
      await loop.saveBeforeGivingUp();
      throw error.cause;
    }
    throw error;
  } finally {
    loop.progress.finish();
  }
  return loop.result();
}

/** The old checkpoint stays until the new one is whole. @throws UserError when two would not fit */
async function requireRoom({ runtime, folder }: Run): Promise<void> {
  const checkpoint = runtime.variables().reduce((sum, { size }) => sum + 4 * size, 0);
  await requireSpace(
    folder,
    2 * checkpoint,
    'choose another --save_dir: a run needs room for two checkpoints',
  );
}

class Loop<B extends TaskBatch> {
  readonly progress: Progress;
  readonly #run: Run;
  readonly #task: Task<B>;
  readonly #undecodable = new Map<string, Skipped>();
  readonly #clock = new Clock();
  /** Steps that were done. */
  #step: number;
  /** When a checkpoint was last written, milliseconds. */
  #saved = performance.now();
  /** Steps that the last checkpoint has. */
  #savedStep: number;

  constructor(run: Run, task: Task<B>, start: number) {
    this.#run = run;
    this.#task = task;
    this.#step = start;
    this.#savedStep = start;
    this.progress = new Progress(run.log, {
      label: task.label,
      total: task.length.totalSteps,
      done: start,
      unit: 'images',
      unitsPerStep: task.imagesPerStep,
    });
  }

  async train({ batch, epoch, waited }: Ready<B>): Promise<Record<string, number>> {
    this.#nameReplaced(batch);
    this.progress.addWait(waited);
    this.#clock.aside += waited;
    const context = { step: this.#step, epoch, waited };
    const metrics = { ...(await this.#clock.spend('inside', () => this.#task.step(batch, context))) };
    if (metrics.loss !== undefined && !Number.isFinite(metrics.loss)) {
      const { remedy } = this.#task;
      const found = { step: this.#step, outputs: metrics, remedy };
      await stopOnNonFinite(this.#run.folder, found, this.#task.evidence(batch));
    }
    this.#step++;
    return metrics;
  }

  /** @param metrics of the last step; figures are added */
  async work(metrics: Record<string, number>): Promise<void> {
    const { works = [], length } = this.#task;
    for (const { every, always, run } of works) {
      if (!isDue(every, this.#step, length) || (this.#run.stopping && always !== true)) continue;
      try {
        Object.assign(metrics, await this.#aside(() => run(this.#step)));
      } catch (error) {
        this.record(metrics);
        await this.saveBeforeGivingUp();
        throw error;
      }
    }
  }

  record(metrics: Metrics): void {
    this.#run.record(this.#step - 1, metrics);
    this.progress.update(this.#step, this.#task.fields(metrics));
  }

  async saveWhenDue(): Promise<void> {
    const kind = this.#saveKind();
    if (kind === undefined) return;
    try {
      await this.#save(kind);
    } catch (error) {
      const isLast = this.#step === this.#task.length.totalSteps;
      if (isLast || this.#run.stopping || !isDiskFull(error)) throw error;
      this.#saved = performance.now();
      this.#run.log.warn(`${error.message}; training goes on, and the next checkpoint is tried again`);
    }
  }

  /** Steps of this process that no checkpoint has yet are kept. */
  async saveBeforeGivingUp(): Promise<void> {
    if (this.#step > this.#savedStep) await this.#save('rolling');
  }

  async #save(kind: SaveKind): Promise<void> {
    await this.#aside(() => this.#task.save(this.#step, kind));
    this.#saved = performance.now();
    this.#savedStep = this.#step;
    this.#run.log.debug(`saved after ${this.#step} steps`);
  }

  result(): LoopResult {
    const undecodable = [...this.#undecodable.values()];
    if (undecodable.length > 0) {
      this.#run.log.warn(`files that could not be decoded: ${undecodable.length}`);
    }
    const interrupted = this.#step < this.#task.length.totalSteps;
    return { step: this.#step, interrupted, undecodable, outsideShare: this.#clock.outsideShare };
  }

  #saveKind(): SaveKind | undefined {
    const { saves, length } = this.#task;
    const minutes = (performance.now() - this.#saved) / 60_000;
    if (isDue(saves.kept, this.#step, length, minutes)) return 'kept';
    return this.#run.stopping || isDue(saves.rolling, this.#step, length, minutes) ? 'rolling' : undefined;
  }

  #nameReplaced({ replaced = [] }: B): void {
    for (const file of replaced) {
      if (this.#undecodable.has(file.path)) continue;
      this.#undecodable.set(file.path, file);
      this.#run.log.warn(`${file.path}: ${file.reason}; another image takes its place`);
    }
  }

  async #aside<T>(work: () => Promise<T>): Promise<T> {
    this.progress.pause();
    const result = await this.#clock.spend('aside', work);
    this.progress.resume();
    return result;
  }
}

function isDiskFull(error: unknown): error is UserError {
  return error instanceof UserError && hasCode(error.cause, 'ENOSPC', 'EDQUOT');
}

/** Why the next batch cannot be made, as its cause. */
class NoBatch extends Error {}

/** Where the seconds of a loop go. */
class Clock {
  inside = 0;
  aside = 0;
  readonly #began = performance.now();

  async spend<T>(where: 'inside' | 'aside', work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await work();
    this[where] += (performance.now() - began) / 1000;
    return result;
  }

  get outsideShare(): number {
    const busy = (performance.now() - this.#began) / 1000 - this.aside;
    return 1 - this.inside / busy;
  }
}

interface Ready<B> {
  readonly batch: B;
  readonly epoch: number;
  /** Seconds that the loop waited for it. */
  readonly waited: number;
}

/** All batches from `start` on; the next one is being made while the consumer has the last. */
async function* oneAhead<B extends TaskBatch>(
  run: Run,
  task: Task<B>,
  start: number,
): AsyncGenerator<Ready<B>, void, void> {
  const source = allBatches(task, start);
  const request = () => {
    const next = source.next();
    next.catch(() => undefined); // its error is thrown when its turn comes
    return next;
  };
  let next = run.stopping ? undefined : request();
  try {
    while (next !== undefined) {
      const began = performance.now();
      const { done, value } = await next.catch((cause) => {
        throw new NoBatch('', { cause });
      });
      if (done === true) return;
      const waited = (performance.now() - began) / 1000;
      next = request();
      yield { ...value, waited };
    }
  } finally {
    await next?.catch(() => undefined);
    await source.return();
  }
}

async function* allBatches<B extends TaskBatch>(
  { length: { stepsPerEpoch, totalSteps }, batches }: Task<B>,
  start: number,
): AsyncGenerator<Omit<Ready<B>, 'waited'>, void, void> {
  for (let step = start; step < totalSteps; ) {
    const epoch = Math.floor(step / stepsPerEpoch);
    const first = step;
    for await (const batch of batches(epoch, first % stepsPerEpoch)) {
      yield { batch, epoch };
      if (++step === totalSteps) return;
    }
    if (step === first) throw new Error(`epoch ${epoch} has no batch from step ${step} on`);
  }
}
