/**
 * Learning rate, decay of the moving average and length of an epoch, as pure functions of the step.
 *
 * A file of its own, and without state, so that a resumed run continues where it was by its step alone. Closed forms of
 * the SCRL reference's schedulers; unlike there, a warm-up of 0 epochs is the plain cosine.
 */

import { UserError } from '../core/errors.js';

export interface LearningRateOptions {
  /** For 256 images, as in the configuration. */
  baseRate: number;
  /** Images of one step over all processes. */
  globalBatch: number;
  stepsPerEpoch: number;
  maxEpochs: number;
  /** Epochs of linear growth from 0; may be fractional or 0. */
  warmupEpochs: number;
}

/** The base rate scaled linearly with the batch: what the schedule rises to. */
export function peakLearningRate({ baseRate, globalBatch }: LearningRateOptions): number {
  return (baseRate * globalBatch) / 256;
}

/**
 * Linear warm-up, then half a cosine down to 0 at the last step.
 *
 * @param iteration of the step that uses the rate, counted from 1: the first step's rate is positive
 */
export function learningRate(options: LearningRateOptions, iteration: number): number {
  const { stepsPerEpoch, maxEpochs, warmupEpochs } = options;
  const peak = peakLearningRate(options);
  const epoch = iteration / stepsPerEpoch;
  if (epoch <= warmupEpochs) return (peak * epoch) / warmupEpochs;
  const progress = Math.min((epoch - warmupEpochs) / (maxEpochs - warmupEpochs), 1);
  return (peak * (1 + Math.cos(Math.PI * progress))) / 2;
}

/**
 * The m of target = m target + (1 - m) online: a cosine from `initial` to 1.
 *
 * @param step counted from 0, so that the first update uses `initial`
 * @param totalSteps steps of the whole run
 */
export function emaDecay(initial: number, step: number, totalSteps: number): number {
  return 1 - ((1 - initial) * (Math.cos((Math.PI * step) / totalSteps) + 1)) / 2;
}

/** Images of an epoch that one process sees: as many for each, for which the first images are repeated if need be. */
export function samplesPerProcess(count: number, processes: number): number {
  return Math.ceil(count / processes);
}

/**
 * Steps of an epoch.
 *
 * @param count images
 * @param batch images of a step in one process
 * @param dropLast leaves out the last batch of an epoch when it is not full
 * @throws UserError when there is no step
 */
export function stepsPerEpoch(count: number, batch: number, processes: number, dropLast: boolean): number {
  const batches = samplesPerProcess(count, processes) / batch;
  const steps = dropLast ? Math.floor(batches) : Math.ceil(batches);
  if (steps === 0) {
    throw new UserError(
      `an epoch of ${count} images has no ${dropLast ? 'full ' : ''}batch of ${batch * processes}`,
      {
        remedy:
          count === 0 ? 'use a folder with images' : 'use a smaller batch, or keep short batches (drop_last)',
      },
    );
  }
  return steps;
}
