/** A pretraining run's numbers, worked out once from the configuration and the data. */

import type { ResolvedConfig } from '../../config/load.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import type { ImageDataset } from '../../data/dataset.js';
import type { BoxSamplerOptions } from '../../models/ssl/box-sampler.js';
import type { Method } from '../../models/ssl/networks.js';
import { cosineRate, emaDecay, scaledRate, stepsPerEpoch } from '../../solver/schedule.js';
import type { RunOutline } from '../shared/run-outline.js';

/** The images of a step for which recipes give their learning rates. */
export const RATE_BATCH = 256;

export interface Plan {
  method: Method;
  /** What tells these images from others: `fingerprintImages`. */
  images: string;
  /** N */
  batch: number;
  /** S */
  side: number;
  epochs: number;
  stepsPerEpoch: number;
  totalSteps: number;
  /** Whether the last batch of an epoch is a short one, and how long it is. */
  lastBatch: number;
  /** Classes of the online classifier; undefined when there are no labels or it is switched off. */
  classes: number | undefined;
  boxes: BoxSamplerOptions;
  /** Learning rate after the warm-up. */
  peak: number;
  /** Learning rate of a step, counted from 0. */
  rate(step: number): number;
  /** EMA's m of a step, counted from 0. */
  decay(step: number): number;
}

/** @param images their fingerprint */
export function makePlan(
  config: Config,
  dataset: Pick<ImageDataset, 'count' | 'classes'>,
  images: string,
): Plan {
  const { train, augment, network } = config;
  const { scrl } = network;
  const batch = Math.min(train.batch_size_train, dataset.count);
  const steps = stepsPerEpoch(dataset.count, batch, 1, train.drop_last);
  const totalSteps = steps * train.max_epochs;
  const schedule = {
    peak: scaledRate(train.optim.lr, batch, RATE_BATCH),
    stepsPerEpoch: steps,
    maxEpochs: train.max_epochs,
    warmupEpochs: train.warmup_epochs,
  };
  return {
    method: scrl.enabled ? 'scrl' : 'byol',
    images,
    batch,
    side: augment.input_size,
    epochs: train.max_epochs,
    stepsPerEpoch: steps,
    totalSteps,
    lastBatch: train.drop_last ? batch : dataset.count - (steps - 1) * batch,
    classes: train.online_eval ? dataset.classes?.length : undefined,
    boxes: {
      boxesPerImage: scrl.num_patches_per_image,
      iouThreshold: scrl.iou_threshold,
      minSize: scrl.min_size,
      gridBased: scrl.grid_based_box_gen,
      jitter: scrl.box_jittering ? scrl.jittering_ratio : undefined,
      onExhausted: scrl.on_exhausted,
      inputSize: augment.input_size,
    },
    peak: schedule.peak,
    rate: (step) => cosineRate(schedule, step + 1),
    decay: (step) => emaDecay(train.m, step, totalSteps),
  };
}

/** @param images that are trained on */
export function outlinePretraining(
  { config, configName }: Pick<ResolvedConfig<Config>, 'config' | 'configName'>,
  plan: Plan,
  images: number,
): RunOutline {
  const { network, train } = config;
  return {
    recipe: configName,
    what: `${plan.method.toUpperCase()}, ${network.name}, views of ${plan.side} px`,
    images,
    classes: plan.classes,
    batch: { key: 'train/batch_size_train', value: train.batch_size_train, used: plan.batch },
    length: { key: 'train/max_epochs', unit: 'epochs', totalSteps: plan.totalSteps, epochs: plan.epochs },
    rate: {
      key: 'train/optim/lr',
      value: train.optim.lr,
      forImages: RATE_BATCH,
      peak: plan.peak,
      warmupSteps: Math.round(train.warmup_epochs * plan.stepsPerEpoch),
      fall: 'then falling as a cosine',
    },
  };
}
