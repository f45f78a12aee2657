/**
 * Pretraining by SCRL or BYOL as the shared loop sees it: batches of pairs of views, a step, what is saved and when.
 *
 * While TensorFlow runs a step, the next batch is decoded and its boxes are drawn.
 */

import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { hostTensor } from '../../core/array.js';
import type { LiveLog } from '../../core/log.js';
import type { ImageDataset } from '../../data/dataset.js';
import type { Skipped } from '../../data/list-files.js';
import { loadViews } from '../../data/loader.js';
import { epochBatches, epochOrder } from '../../data/sampler.js';
import type { Inputs } from '../../engine/step.js';
import { judgeCollapse } from '../../evaluation/collapse.js';
import type { Metrics } from '../../report/sink.js';
import type { StepContext, Task } from '../../train/loop.js';
import type { Evidence } from '../../train/non-finite.js';
import { drawPair } from '../../views/pair.js';
import type { AugmentType, PhotometricDraw } from '../../views/photometric-draws.js';
import { save, saveBest } from './checkpoints.js';
import type { PretrainModel } from './model.js';
import type { Monitor } from './monitor.js';
import type { Plan } from './plan.js';
import { batchBoxes, boxMetrics, type PairBatch, photometricInputs, roiInputs } from './step-inputs.js';
import type { Position } from './training-state.js';

/** What a step needs. */
export interface StepParts {
  readonly config: Config;
  readonly plan: Plan;
  readonly dataset: ImageDataset;
  readonly model: PretrainModel;
}

export interface TaskContext extends StepParts {
  /** The run folder. */
  readonly folder: string;
  readonly log: LiveLog;
  readonly monitor: Monitor;
}

/** What a process saw of its run. */
export interface Tally {
  readonly losses: number[];
  readonly spreads: number[];
  /** Steps that were left out because no image of the batch had a usable overlap. */
  skippedSteps: number;
}

/** A batch that is ready to be fed. */
export interface Prepared {
  readonly replaced: readonly Skipped[];
  readonly batch: PairBatch;
  /** Undefined when no image has a usable overlap: there is nothing to learn from such a batch. */
  readonly inputs: Inputs<string> | undefined;
  readonly metrics: Metrics;
}

/** @param best the best validation before the start */
export function pretrainTask(
  context: TaskContext,
  { best: bestBefore }: Position,
): { task: Task<Prepared>; tally: Tally } {
  const { config, plan, dataset, monitor } = context;
  const { train } = config;
  const tally: Tally = { losses: [], spreads: [], skippedSteps: 0 };
  const warnOnce = collapseWarning(context.log);
  let best = bestBefore;
  const task: Task<Prepared> = {
    label: plan.method,
    length: plan,
    imagesPerStep: plan.batch,
    batches: (epoch, firstStep) => preparedBatches(context, epoch, firstStep),
    async step(prepared, at) {
      const metrics = await trainStep(context, prepared, at);
      if (metrics.loss === undefined) tally.skippedSteps++;
      else {
        tally.losses.push(metrics.loss);
        tally.spreads.push(metrics.spread);
        warnOnce(tally.spreads);
      }
      return metrics;
    },
    fields: ({ epoch, loss, lr, eval_acc }) => ({
      epoch: `${epoch}/${plan.epochs}`,
      loss: loss ?? tally.losses.at(-1) ?? 'none yet',
      lr,
      ...(eval_acc !== undefined && { 'acc %': eval_acc }),
    }),
    works: monitor.works(async (score, step) => {
      if (score <= (best?.score ?? Number.NEGATIVE_INFINITY)) return;
      best = { score, epoch: step / plan.stepsPerEpoch };
      await saveBest(context, { step, best });
    }),
    saves: {
      kept: { epochs: train.snapshot_interval, last: true },
      rolling: { steps: train.save_steps, minutes: train.save_minutes },
    },
    save: (step, kind) => save(context, { step, ...(best && { best }) }, kind),
    evidence: ({ batch }) => evidenceOf(batch, dataset),
    remedy: 'Try a lower train/optim/lr or a longer train/warmup_epochs',
  };
  return { task, tally };
}

async function trainStep(
  context: StepParts,
  { batch, inputs, metrics }: Prepared,
  { step, epoch, waited }: StepContext,
): Promise<Metrics> {
  const { plan } = context;
  const scheduled = { epoch: epoch + 1, lr: plan.rate(step), m: plan.decay(step) };
  if (inputs === undefined) return { ...scheduled, skipped: 1 };
  const began = performance.now();
  const outputs = await runStep(context, { batch, inputs }, step);
  const seconds = (performance.now() - began) / 1000;
  const accuracy = stepMetrics(outputs, batch.indices.length);
  return { ...scheduled, ...accuracy, ...metrics, step_s: seconds, wait_s: waited };
}

/** One step of TensorFlow. @param step counted from 0, for the schedules */
export function runStep(
  { model, plan }: Pick<StepParts, 'model' | 'plan'>,
  { batch, inputs }: { batch: PairBatch; inputs: Inputs<string> },
  step: number,
): Promise<Record<string, number>> {
  return model.run(batch.indices.length, {
    ...inputs,
    rate: Float32Array.of(plan.rate(step)),
    target_rate: Float32Array.of(1 - plan.decay(step)),
  });
}

function collapseWarning(log: LiveLog): (spreads: readonly number[]) => void {
  let warned = false;
  return (spreads) => {
    const collapse = warned ? undefined : judgeCollapse(spreads);
    if (collapse === undefined) return;
    warned = true;
    log.warn(collapse);
  };
}

function stepMetrics(outputs: Record<string, number>, images: number): Record<string, number> {
  const { eval_correct: correct, ...rest } = outputs;
  return correct === undefined ? rest : { ...rest, eval_acc: (100 * correct) / (2 * images) };
}

/** Batches of an epoch, ready to be fed. @param epoch counted from 0 */
export async function* preparedBatches(
  parts: StepParts,
  epoch: number,
  firstStep: number,
): AsyncGenerator<Prepared, void, void> {
  const { config, plan, dataset } = parts;
  for await (const batch of loadPairs(config, plan, dataset, epoch, firstStep)) {
    yield prepare(parts, batch, epoch);
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
function prepare({ config, plan, model }: StepParts, batch: PairBatch, epoch: number): Prepared {
  const { replaced } = batch;
  const inputs = {
    ...photometricInputs(batch, model.basis),
    ...(plan.classes !== undefined && { labels: labelsOf(batch) }),
  };
  if (plan.method === 'byol') return { replaced, batch, inputs, metrics: {} };
  const boxes = batchBoxes(batch, plan.boxes, { seed: config.seed, epoch });
  const metrics = boxMetrics(boxes.counters, batch.indices.length);
  if (boxes.counters.boxes === 0) return { replaced, batch, inputs: undefined, metrics };
  const { spatial_scale, sampling_ratio, detectron_aligned } = config.network.scrl;
  const roi = {
    spatialScale: spatial_scale,
    samplingRatio: sampling_ratio,
    aligned: detectron_aligned,
  };
  return { replaced, batch, inputs: { ...inputs, ...roiInputs(boxes, plan.boxes, roi) }, metrics };
}

function labelsOf({ labels }: PairBatch): Int32Array {
  if (labels === undefined)
    throw new Error('unreachable: a data set with classes gave a batch without labels');
  return labels;
}

function evidenceOf(batch: PairBatch, { images }: ImageDataset): Evidence {
  const count = batch.photometric.length;
  const side = Math.sqrt(batch.images.length / count / 3);
  return {
    tensors: {
      images: hostTensor('uint8', [count, side, side, 3], batch.images),
      crops: hostTensor('int32', [count, 5], batch.crops),
    },
    facts: {
      files: Array.from(batch.indices, (index) => images.path(index)),
      photometric: batch.photometric,
    },
  };
}
