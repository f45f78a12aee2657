/**
 * Training of a detector as the shared loop sees it. While TensorFlow runs a step, the next batch is decoded and its anchors
 * are matched.
 */

import type { DetectConfig } from '../../config/schemas/detect.js';
import { hostTensor } from '../../core/array.js';
import type { LiveLog } from '../../core/log.js';
import type { DetectionDataset } from '../../data/detection-dataset.js';
import type { DetectionBatch } from '../../data/detection-loader.js';
import type { Skipped } from '../../data/list-files.js';
import { DivergenceError } from '../../models/detection/divergence.js';
import { nonFiniteFinder } from '../../models/detection/find-non-finite.js';
import { runTrainStep, type TrainBatch, trainBatch } from '../../models/detection/train-host.js';
import { compileTrainStep } from '../../models/detection/train-step.js';
import type { Metrics } from '../../report/sink.js';
import type { PeriodicWork, SaveKind, StepContext, Task } from '../../train/loop.js';
import { type Evidence, stopOnNonFinite } from '../../train/non-finite.js';
import { trainingBatches } from './data.js';
import type { DetectModel } from './model.js';
import type { DetectPlan } from './plan.js';
import { anchorSampling, trainHostOptions } from './sampling.js';

/** What a step needs. */
export interface DetectParts {
  readonly config: DetectConfig;
  readonly plan: DetectPlan;
  readonly dataset: DetectionDataset;
  readonly model: DetectModel;
}

export interface DetectTaskContext extends DetectParts {
  /** The run folder. */
  readonly folder: string;
  readonly log: LiveLog;
  readonly works: readonly PeriodicWork[];
  save(step: number, kind: SaveKind): Promise<unknown>;
}

/** A batch that is ready to be fed. */
interface Prepared {
  readonly replaced: readonly Skipped[];
  readonly batch: DetectionBatch;
  readonly fed: TrainBatch;
}

const REMEDY =
  'Try a lower train/lr or a longer train/warmup_steps, and see that the weights are the right ones';

export function detectTask(context: DetectTaskContext): Task<Prepared> {
  const { config, plan, dataset, model, works, save } = context;
  const { train } = config;
  const step = trainStep(model, config, plan);
  return {
    label: config.model.masks ? 'Mask R-CNN' : 'Faster R-CNN',
    length: plan,
    imagesPerStep: plan.batch,
    batches: (_epoch, firstStep) => preparedBatches(context, firstStep),
    step: async ({ batch, fed }, at) => {
      try {
        return await step(fed, at);
      } catch (error) {
        if (!(error instanceof DivergenceError)) throw error;
        const layer = await nonFiniteFinder(model.detector, plan.batch)(batch);
        const where = layer === undefined ? 'though every layer is finite' : `first in ${layer}`;
        const problem = `step ${at.step}: ${error.message.split('\n')[0]}, ${where}`;
        const remedy = `To see it: scrl detect preview with this run's config.yaml and --step ${at.step}. ${REMEDY}`;
        const found = { step: at.step, outputs: {}, problem, remedy };
        return stopOnNonFinite(context.folder, found, evidenceOf(batch, dataset));
      }
    },
    fields: ({ loss, lr, 'bbox/AP': ap }) => ({ loss, lr, ...(ap !== undefined && { AP: ap }) }),
    works,
    saves: { kept: { last: true }, rolling: { steps: train.save_steps, minutes: train.save_minutes } },
    save,
    evidence: ({ batch }) => evidenceOf(batch, dataset),
    remedy: REMEDY,
  };
}

function trainStep(
  { runtime, detector, solver }: DetectModel,
  config: DetectConfig,
  { batch, rate }: DetectPlan,
): (fed: TrainBatch, at: StepContext) => Promise<Metrics> {
  const { rpn } = config.model;
  const compiled = compileTrainStep(runtime, detector, solver, {
    images: batch,
    candidatesPerLevel: rpn.pre_nms_topk_train,
    anchorsPerImage: rpn.batch_size_per_image,
  });
  const options = trainHostOptions(config, detector.options.classes);
  return async (fed, { step, waited }) => {
    const lr = rate(step);
    const began = performance.now();
    const { losses, total, regions } = await runTrainStep(compiled, fed, lr, options);
    const foreground = regions.reduce((sum, image) => sum + image.foreground, 0);
    return {
      lr,
      loss: total,
      ...losses,
      foreground: foreground / regions.length,
      step_s: (performance.now() - began) / 1000,
      wait_s: waited,
    };
  };
}

/** All batches from a step on, ready to be fed. */
export async function* preparedBatches(
  { config, dataset }: Pick<DetectParts, 'config' | 'dataset'>,
  firstStep: number,
): AsyncGenerator<Prepared, void, void> {
  const sampling = anchorSampling(config);
  const batches = trainingBatches(config, dataset, { firstStep });
  for await (const batch of batches) {
    yield {
      replaced: batch.replaced,
      batch,
      fed: trainBatch(batch, { ...sampling, step: batch.step }),
    };
  }
}

function evidenceOf(batch: DetectionBatch, { files, fileOf }: DetectionDataset): Evidence {
  const { images, height, width, indices, objects, plans } = batch;
  return {
    tensors: { images: hostTensor('uint8', [indices.length, height, width, 3], images) },
    facts: {
      files: Array.from(indices, (image) => files.path(fileOf[image])),
      boxes: objects.map(({ boxes }) => [...boxes]),
      classes: objects.map(({ classes }) => [...classes]),
      plans,
    },
  };
}
