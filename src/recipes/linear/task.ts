/** Linear evaluation as the shared loop sees it: from augmented images by the protocol, or from features computed once. */

import { saveCheckpoint } from '../../checkpoint/checkpointer.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { hostTensor } from '../../core/array.js';
import type { LiveLog } from '../../core/log.js';
import { RandomStream } from '../../core/rng.js';
import type { Skipped } from '../../data/list-files.js';
import { loadViews } from '../../data/loader.js';
import { epochBatches, epochOrder } from '../../data/sampler.js';
import { AccuracyCounter } from '../../evaluation/accuracy.js';
import { evaluationPiece, validate } from '../../evaluation/features/validate.js';
import type { LinearProbe } from '../../models/probe/linear-probe.js';
import type { Task } from '../../train/loop.js';
import type { Evidence } from '../../train/non-finite.js';
import { drawCrop } from '../../views/crop.js';
import type { CachedFeatures } from './cached-features.js';
import type { LabelledData } from './data.js';
import type { LinearPlan } from './plan.js';
import { bestOf, type EpochResult, figures } from './results.js';
import { type LinearIdentity, linearState } from './state.js';

export interface LinearContext {
  readonly config: Config;
  readonly plan: LinearPlan;
  readonly data: LabelledData;
  /** Training images: indices into the table. */
  readonly subset: Uint32Array;
  readonly probe: LinearProbe;
  readonly log: LiveLog;
}

export interface TaskContext extends LinearContext {
  readonly folder: string;
  readonly identity: LinearIdentity;
  /** In place of images; not the protocol. */
  readonly cached: CachedFeatures | undefined;
  /** Of all validations so far; the task adds to it. */
  readonly history: EpochResult[];
}

/** Share of an image's area in a training view; the configuration's `crop_scale` is for pretraining. */
const CROP_SCALE = [0.08, 1] as const;

export interface TrainBatch {
  /** [N, S, S, 3] pixels, or [N, C] features. */
  readonly data: Uint8Array | Float32Array;
  /** [N] */
  readonly labels: Int32Array;
  /** Files of the images; none for features. */
  readonly files: readonly string[];
  readonly replaced: readonly Skipped[];
}

export function linearTask(context: TaskContext): Task<TrainBatch> {
  const { config, plan, probe, cached, history, log, folder, identity } = context;
  const { train, eval: evaluation } = config;
  const running = { correct: 0, seen: 0 };
  return {
    label: 'linear evaluation',
    length: plan,
    imagesPerStep: plan.batch,
    batches: (epoch, firstStep) =>
      cached?.batches(epoch, firstStep) ?? imageBatches(context, epoch, firstStep),
    async step({ data, labels }, { step, epoch }) {
      const rate = plan.rate(step);
      const { loss, correct } = await (data instanceof Float32Array
        ? probe.trainOnFeatures(data, labels, rate)
        : probe.train(data, labels, rate));
      if (step % plan.stepsPerEpoch === 0) Object.assign(running, { correct: 0, seen: 0 });
      running.correct += correct;
      running.seen += labels.length;
      return { epoch: epoch + 1, loss, lr: rate, acc: (100 * correct) / labels.length };
    },
    fields: ({ epoch, loss, lr }) => ({
      epoch: `${epoch}/${plan.epochs}`,
      loss,
      lr,
      'acc %': (100 * running.correct) / running.seen,
    }),
    works: [
      {
        every: { epochs: evaluation.valid_interval, last: true },
        always: true,
        run: async (step) => {
          const found = await validation(context, step / plan.stepsPerEpoch);
          history.push(found);
          log.info(`epoch ${found.epoch}: ${figures(found)}; best ${bestOf(history).top1.toFixed(3)} %`);
          return { val_top1: found.top1, val_top5: found.top5 };
        },
      },
    ],
    // As often as pretraining saves; the results of an epoch must not be lost.
    saves: { kept: { epochs: 1 }, rolling: { steps: train.save_steps, minutes: train.save_minutes } },
    save: (step) => {
      const state = linearState(probe, identity, { step, history }, evaluation.finetune);
      return saveCheckpoint(folder, 'head', state, { log });
    },
    evidence: (batch) => evidenceOf(batch, plan),
    remedy: 'Try a lower eval/optim/lr',
  };
}

async function* imageBatches(
  { config, plan, data, subset }: LinearContext,
  epoch: number,
  firstStep: number,
): AsyncGenerator<TrainBatch, void, void> {
  const { seed } = config;
  const order = epochOrder(seed, epoch, subset.length).map((place) => subset[place]);
  const table = data.train.images;
  const batches = loadViews<undefined>({
    images: table,
    batches: epochBatches(order, { batchSize: plan.batch, firstStep }),
    size: plan.side,
    views: 1,
    seed,
    epoch,
    workers: config.eval.num_workers,
    // One of those whose labels may be used.
    replacement: (stream) => subset[stream.integer(0, subset.length)],
    draw: (image, { width, height }) => {
      const stream = (purpose: string) =>
        new RandomStream(seed, `${purpose} of linear evaluation`, epoch, image);
      const crop = drawCrop(stream('crop'), width, height, CROP_SCALE);
      return [{ crop: { ...crop, flipped: stream('flip').chance(0.5) }, photometric: undefined }];
    },
  });
  for await (const { images, labels, indices, replaced } of batches) {
    if (labels === undefined) throw new Error('unreachable: a labelled data set gave a batch without labels');
    yield { data: images, labels, files: Array.from(indices, (index) => table.path(index)), replaced };
  }
}

async function validation(
  { config, plan, data, probe, log, cached }: TaskContext,
  epoch: number,
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

function evidenceOf({ data, labels, files }: TrainBatch, { side }: LinearPlan): Evidence {
  const count = labels.length;
  const rows =
    data instanceof Float32Array
      ? { features: hostTensor('float32', [count, data.length / count], data) }
      : { images: hostTensor('uint8', [count, side, side, 3], data) };
  return { tensors: { ...rows, labels: hostTensor('int32', [count], labels) }, facts: { files } };
}
