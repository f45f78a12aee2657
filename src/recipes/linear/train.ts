/** The loop of a linear evaluation: from augmented images by the protocol, or from features that are computed once. */

import type { Config } from '../../config/schema.js';
import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { RandomStream } from '../../core/rng.js';
import { loadViews } from '../../data/loader.js';
import { epochBatches, epochOrder } from '../../data/sampler.js';
import { AccuracyCounter } from '../../evaluation/accuracy.js';
import { evaluationPiece, validate } from '../../evaluation/features/validate.js';
import type { LinearProbe } from '../../models/probe/linear-probe.js';
import { Progress } from '../../report/progress.js';
import type { MetricSink } from '../../report/sink.js';
import { drawCrop } from '../../views/crop.js';
import type { LabelledData } from './data.js';
import { CachedFeatures } from './features.js';
import type { LinearPlan } from './plan.js';
import { bestOf, type EpochResult, figures } from './results.js';
import type { LinearProgress } from './state.js';

export interface LinearContext {
  readonly config: Config;
  readonly plan: LinearPlan;
  readonly data: LabelledData;
  /** Training images: indices into the table. */
  readonly subset: Uint32Array;
  readonly probe: LinearProbe;
  /** Features are computed once, from centre crops: not the protocol. */
  readonly fast: boolean;
  readonly sinks: readonly MetricSink[];
  readonly log: LiveLog;
  /** True once the run has been asked to stop. */
  stopping(): boolean;
  /** Whether to save after this many steps, within an epoch. */
  saves(step: number): boolean;
  /** Called at the end of an epoch, when `saves` says so, and when stopping. */
  save(progress: LinearProgress): Promise<void>;
}

/** Share of an image's area in a training view; the configuration's `crop_scale` is for pretraining. */
const CROP_SCALE = [0.08, 1] as const;

interface TrainBatch {
  readonly data: Uint8Array | Float32Array;
  readonly labels: Int32Array;
}

/** @returns where the run is: behind its last step unless it was interrupted */
export async function trainLinear(context: LinearContext, start: LinearProgress): Promise<LinearProgress> {
  const { plan, probe, log } = context;
  const cached = context.fast ? await CachedFeatures.compute(context) : undefined;
  const history = [...start.history];
  let { step } = start;
  let correct = 0;
  let seen = 0;
  const progress = new Progress(log, {
    label: 'linear evaluation',
    total: plan.totalSteps,
    done: step,
    unit: 'images',
    unitsPerStep: plan.batch,
  });
  while (step < plan.totalSteps && !context.stopping()) {
    const epoch = Math.floor(step / plan.stepsPerEpoch);
    const batches = cached?.batches(epoch, step % plan.stepsPerEpoch) ?? imageBatches(context, epoch, step);
    for await (const { data, labels } of batches) {
      const rate = plan.rate(step);
      const result = await (data instanceof Float32Array
        ? probe.trainOnFeatures(data, labels, rate)
        : probe.train(data, labels, rate));
      if (!Number.isFinite(result.loss)) throw notFinite(step, result.loss);
      correct += result.correct;
      seen += labels.length;
      const metrics: Record<string, number> = {
        epoch: epoch + 1,
        loss: result.loss,
        lr: rate,
        acc: (100 * result.correct) / labels.length,
      };
      step++;
      progress.update(step, {
        epoch: `${epoch + 1}/${plan.epochs}`,
        loss: result.loss,
        lr: rate,
        'acc %': (100 * correct) / seen,
      });
      const ends = step % plan.stepsPerEpoch === 0;
      if (ends && plan.validates(epoch + 1)) {
        progress.pause();
        const found = await validation(context, epoch + 1, cached);
        history.push(found);
        Object.assign(metrics, { val_top1: found.top1, val_top5: found.top5 });
        log.info(`epoch ${epoch + 1}: ${figures(found)}; best ${bestOf(history).top1.toFixed(3)} %`);
        progress.resume();
      }
      for (const sink of context.sinks) sink.write(step - 1, metrics);
      if (ends || context.saves(step)) await context.save({ step, history });
      if (context.stopping()) break;
    }
    correct = 0;
    seen = 0;
  }
  progress.finish();
  if (step % plan.stepsPerEpoch !== 0) await context.save({ step, history });
  return { step, history };
}

async function* imageBatches(
  { config, plan, data, subset }: LinearContext,
  epoch: number,
  step: number,
): AsyncGenerator<TrainBatch, void, void> {
  const { seed } = config;
  const order = epochOrder(seed, epoch, subset.length).map((place) => subset[place]);
  const batches = loadViews<undefined>({
    images: data.train.images,
    batches: epochBatches(order, { batchSize: plan.batch, firstStep: step % plan.stepsPerEpoch }),
    size: plan.side,
    views: 1,
    seed,
    epoch,
    workers: config.eval.num_workers,
    draw: (image, { width, height }) => {
      const stream = (purpose: string) =>
        new RandomStream(seed, `${purpose} of linear evaluation`, epoch, image);
      const crop = drawCrop(stream('crop'), width, height, CROP_SCALE);
      return [{ crop: { ...crop, flipped: stream('flip').chance(0.5) }, photometric: undefined }];
    },
  });
  for await (const { images, labels } of batches) {
    if (labels === undefined) throw new Error('unreachable: a labelled data set gave a batch without labels');
    yield { data: images, labels };
  }
}

async function validation(
  { config, plan, data, probe, log }: LinearContext,
  epoch: number,
  cached: CachedFeatures | undefined,
): Promise<EpochResult> {
  if (cached !== undefined) {
    const counter = new AccuracyCounter();
    for (const { features, labels } of cached.validation()) {
      counter.add(await probe.classify(features), labels, data.classes.length);
    }
    return { epoch, ...counter.accuracy };
  }
  const piece = evaluationPiece(config.eval.batch_size_eval, data.val.count);
  const options = { dataset: data.val, side: plan.side, workers: config.eval.num_workers, piece, log };
  return { epoch, ...(await validate(probe.evaluation(piece), options)) };
}

function notFinite(step: number, loss: number): UserError {
  return new UserError(`the loss of step ${step} is ${loss}; the evaluation was stopped`, {
    key: 'eval/optim/lr',
    remedy: 'try a lower eval/optim/lr; the last checkpoint is from before it',
  });
}
