/**
 * The training loop of SCRL and BYOL: batches in, steps, metrics and checkpoints out.
 *
 * While TensorFlow runs a step, the next batch is decoded and its boxes are drawn.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.js';
import { hostTensor } from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import type { ImageDataset } from '../../data/dataset.js';
import { loadViews } from '../../data/loader.js';
import { epochBatches, epochOrder } from '../../data/sampler.js';
import type { Inputs } from '../../engine/step.js';
import { judgeCollapse } from '../../evaluation/collapse.js';
import { type TorchValue, writeTorchFile } from '../../formats/torch-pth.js';
import { Progress } from '../../report/progress.js';
import type { MetricSink } from '../../report/sink.js';
import type { Interrupt } from '../../train/interrupt.js';
import type { SaveSchedule } from '../../train/save-schedule.js';
import { drawPair } from '../../views/pair.js';
import type { AugmentType, PhotometricDraw } from '../../views/photometric-draws.js';
import { save, saveBest } from './checkpoints.js';
import type { PretrainModel } from './model.js';
import type { Monitor } from './monitor.js';
import type { Plan } from './plan.js';
import type { Position } from './training-state.js';
import { batchBoxes, boxMetrics, type PairBatch, photometricInputs, roiInputs } from './views.js';

export interface TrainContext {
  config: Config;
  plan: Plan;
  dataset: ImageDataset;
  model: PretrainModel;
  folder: string;
  log: LiveLog;
  sinks: readonly MetricSink[];
  schedule: SaveSchedule;
  interrupt: Interrupt;
  monitor: Monitor;
}

export interface TrainResult {
  /** Steps done, over all epochs. */
  step: number;
  /** The run was asked to stop before its end. */
  interrupted: boolean;
  /** Means over the first and the last 5 % (at least one) of this process's steps. */
  firstLoss: number;
  lastLoss: number;
  /** Of the last step. */
  spread: number;
  /** Steps that were left out because no image of the batch had a usable overlap. */
  skippedSteps: number;
  /** Files that could not be decoded, each once. */
  undecodable: ReadonlyMap<string, string>;
  /** Share of the loop's time outside TensorFlow, waiting for data not counted. */
  outsideShare: number;
}

/** A batch that is ready to be fed. */
interface Prepared {
  batch: PairBatch;
  /** Undefined when no image has a usable overlap: there is nothing to learn from such a batch. */
  inputs: Inputs<string> | undefined;
  metrics: Record<string, number>;
  /** Seconds that the loop waited for the batch. */
  waited: number;
}

export async function train(context: TrainContext, start: Position): Promise<TrainResult> {
  const { plan, log, interrupt } = context;
  const losses: number[] = [];
  const spreads: number[] = [];
  const undecodable = new Map<string, string>();
  const clock = { inside: 0, waiting: 0, saving: 0, began: performance.now() };
  let skippedSteps = 0;
  let warned = false;
  let { step, best } = start;
  const progress = new Progress(log, {
    label: context.plan.method,
    total: plan.totalSteps,
    done: step,
    unit: 'images',
    unitsPerStep: plan.batch,
  });

  for await (const { epoch, prepared } of preparedBatches(context, start)) {
    const { batch, inputs } = prepared;
    for (const { path, reason } of batch.replaced) {
      if (!undecodable.has(path)) log.warn(`${path}: ${reason}; another image takes its place`);
      undecodable.set(path, reason);
    }
    progress.addWait(prepared.waited);
    clock.waiting += prepared.waited;
    const metrics: Record<string, number> = { epoch, lr: plan.rate(step), m: plan.decay(step) };
    if (inputs === undefined) {
      skippedSteps++;
      Object.assign(metrics, { skipped: 1 });
    } else {
      const began = performance.now();
      const outputs = await context.model.run(batch.indices.length, {
        ...inputs,
        rate: Float32Array.of(plan.rate(step)),
        target_rate: Float32Array.of(1 - plan.decay(step)),
      });
      const seconds = (performance.now() - began) / 1000;
      clock.inside += seconds;
      Object.assign(metrics, stepMetrics(outputs, batch.indices.length), prepared.metrics, {
        step_s: seconds,
        wait_s: prepared.waited,
      });
      if (!Number.isFinite(outputs.loss)) await stopOnNonFinite(context, batch, step, outputs);
      losses.push(outputs.loss);
      spreads.push(outputs.spread);
    }
    step++;
    const ended = step % plan.stepsPerEpoch === 0 ? step / plan.stepsPerEpoch : undefined;
    if (ended !== undefined && interrupt.signal === undefined && context.monitor.due(ended)) {
      progress.pause();
      const found = await context.monitor.run(ended);
      Object.assign(metrics, found);
      log.info(`epoch ${ended}: ${describeFound(found)}`);
      const score = found.val_top1;
      if (score !== undefined && score > (best?.score ?? Number.NEGATIVE_INFINITY)) {
        best = { score, epoch: ended };
        await saveBest(context, { step, best });
      }
      progress.resume();
    }
    for (const sink of context.sinks) sink.write(step - 1, metrics);
    progress.update(step, {
      epoch: `${epoch}/${plan.epochs}`,
      loss: losses.at(-1) ?? 'none yet',
      lr: plan.rate(step - 1),
      ...(metrics.eval_acc !== undefined && { 'acc %': metrics.eval_acc }),
    });
    const collapse = warned ? undefined : judgeCollapse(spreads);
    if (collapse !== undefined) {
      warned = true;
      log.warn(collapse);
    }
    const kind = interrupt.signal === undefined ? context.schedule.due(step) : endKind(plan, step);
    if (kind !== undefined) {
      const began = performance.now();
      progress.pause();
      await save(context, { step, ...(best && { best }) }, kind);
      context.schedule.saved();
      progress.resume();
      clock.saving += (performance.now() - began) / 1000;
    }
    if (interrupt.signal !== undefined) break;
  }
  progress.finish();
  const busy = (performance.now() - clock.began) / 1000 - clock.waiting - clock.saving;
  return {
    step,
    interrupted: step < plan.totalSteps,
    firstLoss: mean(losses.slice(0, edge(losses))),
    lastLoss: mean(losses.slice(-edge(losses))),
    spread: spreads.at(-1) ?? Number.NaN,
    skippedSteps,
    undecodable,
    outsideShare: 1 - clock.inside / busy,
  };
}

/** `val_top1 43.2 %, knn_20 51.0 %` */
function describeFound(found: Record<string, number>): string {
  return Object.entries(found)
    .map(([name, percent]) => `${name} ${percent.toFixed(2)} %`)
    .join(', ');
}

function endKind(plan: Plan, step: number): 'kept' | 'rolling' {
  return step === plan.totalSteps ? 'kept' : 'rolling';
}

function edge(losses: readonly number[]): number {
  return Math.max(1, Math.floor(losses.length / 20));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function stepMetrics(outputs: Record<string, number>, images: number): Record<string, number> {
  const { eval_correct: correct, ...rest } = outputs;
  return correct === undefined ? rest : { ...rest, eval_acc: (100 * correct) / (2 * images) };
}

/** All batches from `start` on, one ahead of the consumer. */
async function* preparedBatches(
  context: TrainContext,
  start: Position,
): AsyncGenerator<{ epoch: number; prepared: Prepared }> {
  const { plan, config, dataset } = context;
  for (let step = start.step; step < plan.totalSteps; ) {
    const epoch = Math.floor(step / plan.stepsPerEpoch);
    const firstStep = step % plan.stepsPerEpoch;
    const batches = loadPairs(config, plan, dataset, epoch, firstStep);
    // Taking the next batch starts before the consumer has run the last one.
    let next = batches.next();
    try {
      for (;;) {
        const began = performance.now();
        const result = await next;
        if (result.done) break;
        const waited = (performance.now() - began) / 1000;
        const prepared = { ...prepare(context, result.value, epoch), waited };
        next = batches.next();
        next.catch(() => undefined);
        yield { epoch: epoch + 1, prepared };
        step++;
      }
    } finally {
      await next.catch(() => undefined);
      await batches.return();
    }
  }
}

/** The views of an epoch's batches. @param epoch counted from 0 */
export function loadPairs(
  config: Config,
  plan: Plan,
  dataset: ImageDataset,
  epoch: number,
  firstStep: number,
): AsyncGenerator<PairBatch, void, void> {
  const { augment, train, seed } = config;
  const order = epochOrder(seed, epoch, dataset.count);
  return loadViews<PhotometricDraw>({
    images: dataset.images,
    batches: epochBatches(order, { batchSize: plan.batch, dropLast: train.drop_last, firstStep }),
    size: plan.side,
    views: 2,
    seed,
    epoch,
    workers: train.num_workers,
    draw: (image, info) =>
      drawPair(seed, epoch, image, info, plan.side, {
        type: augment.type as AugmentType,
        cropScale: augment.crop_scale,
        blur: augment.blur,
        ...(augment.ensure_overlap && { ensureOverlap: { minSize: plan.boxes.minSize } }),
      }),
  });
}

/** Draws the boxes and packs everything that the step takes, but for the step's own scalars. */
export function prepare(
  { config, plan, model }: Pick<TrainContext, 'config' | 'plan' | 'model'>,
  batch: PairBatch,
  epoch: number,
): Omit<Prepared, 'waited'> {
  const inputs = {
    ...photometricInputs(batch, model.basis),
    ...(plan.classes !== undefined && { labels: labelsOf(batch) }),
  };
  if (plan.method === 'byol') return { batch, inputs, metrics: {} };
  const boxes = batchBoxes(batch, plan.boxes, { seed: config.seed, epoch });
  const metrics = boxMetrics(boxes.counters, batch.indices.length);
  if (boxes.counters.boxes === 0) return { batch, inputs: undefined, metrics };
  const { spatial_scale, sampling_ratio, detectron_aligned } = config.network.scrl;
  const roi = {
    spatialScale: spatial_scale,
    samplingRatio: sampling_ratio,
    aligned: detectron_aligned,
  };
  return { batch, inputs: { ...inputs, ...roiInputs(boxes, plan.boxes, roi) }, metrics };
}

function labelsOf({ labels }: PairBatch): Int32Array {
  if (labels === undefined)
    throw new Error('unreachable: a data set with classes gave a batch without labels');
  return labels;
}

/** Saves what led to the non-finite loss, and stops. The last good checkpoint is untouched. */
async function stopOnNonFinite(
  { folder, dataset }: TrainContext,
  batch: PairBatch,
  step: number,
  outputs: Record<string, number>,
): Promise<never> {
  const base = join(folder, `nonfinite_step_${step}`);
  const count = batch.photometric.length;
  const side = Math.sqrt(batch.images.length / count / 3);
  await writeTorchFile(
    `${base}.pth`,
    new Map<string, TorchValue>([
      ['images', hostTensor('uint8', [count, side, side, 3], batch.images)],
      ['crops', hostTensor('int32', [count, 5], batch.crops)],
    ]),
  );
  const files = Array.from(batch.indices, (index) => dataset.images.path(index));
  await writeFile(
    `${base}.json`,
    JSON.stringify({ step, outputs, files, photometric: batch.photometric }, null, 1),
  );
  throw new UserError(`the loss of step ${step} is ${outputs.loss}; training was stopped`, {
    where: folder,
    remedy:
      `the batch was saved as ${base}.pth and .json, and checkpoint_last.pth is from before it. ` +
      'Try a lower train/optim/lr or a longer train/warmup_epochs',
  });
}
