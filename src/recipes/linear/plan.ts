/** A linear evaluation's numbers, worked out once from the configuration and the data. */

import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { cosineRate, scaledRate, stepsPerEpoch } from '../../solver/schedule.js';
import { RATE_BATCH } from '../pretrain/plan.js';

export interface LinearPlan {
  /** N */
  readonly batch: number;
  /** S, pixels */
  readonly side: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
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
    rate: (step) => cosineRate(schedule, step + 1),
  };
}
