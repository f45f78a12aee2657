/** A linear evaluation's numbers, worked out once from the configuration and the data. */

import type { ResolvedConfig } from '../../config/load.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { cosineRate, scaledRate, stepsPerEpoch } from '../../solver/schedule.js';
import { RATE_BATCH } from '../pretrain/plan.js';
import type { RunOutline } from '../shared/run-outline.js';

export interface LinearPlan {
  /** N */
  readonly batch: number;
  /** S, pixels */
  readonly side: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** Learning rate after the warm-up. */
  readonly peak: number;
  /** Learning rate of a step, counted from 0. */
  rate(step: number): number;
}

/** @param images that are trained on */
export function makeLinearPlan({ eval: options, augment }: Config, images: number): LinearPlan {
  const batch = Math.min(options.batch_size_train, images);
  const steps = stepsPerEpoch(images, batch, 1, false);
  const schedule = {
    peak: scaledRate(options.optim.lr, batch, RATE_BATCH),
    stepsPerEpoch: steps,
    maxEpochs: options.max_epochs,
    warmupEpochs: options.warmup_epochs,
  };
  return {
    batch,
    side: augment.input_size,
    epochs: options.max_epochs,
    stepsPerEpoch: steps,
    totalSteps: steps * options.max_epochs,
    peak: schedule.peak,
    rate: (step) => cosineRate(schedule, step + 1),
  };
}

/** @param what is evaluated, and how */
export function outlineLinear(
  { config, configName }: Pick<ResolvedConfig<Config>, 'config' | 'configName'>,
  plan: LinearPlan,
  { what, images, classes }: Pick<RunOutline, 'what' | 'images' | 'classes'>,
): RunOutline {
  const { batch_size_train: batch, optim, warmup_epochs: warmup } = config.eval;
  return {
    recipe: configName,
    what: `${what}, ${plan.side} px`,
    images,
    classes,
    batch: { key: 'eval/batch_size_train', value: batch, used: plan.batch },
    length: { key: 'eval/max_epochs', unit: 'epochs', totalSteps: plan.totalSteps, epochs: plan.epochs },
    rate: {
      key: 'eval/optim/lr',
      value: optim.lr,
      forImages: RATE_BATCH,
      peak: plan.peak,
      warmupSteps: Math.round(warmup * plan.stepsPerEpoch),
      fall: 'then falling as a cosine',
    },
  };
}
