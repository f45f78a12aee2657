/**
 * Learning rate, decay of the moving average and length of an epoch, as pure functions of the step.
 *
 * A file of its own, and without state, so that a resumed run continues where it was by its step alone. Closed forms of
 * the SCRL reference's schedulers; unlike there, a warm-up of 0 epochs is the plain cosine. Detectors have steps.
 */

import { UserError } from '../core/errors.js';

/** A rate that is meant for another batch, scaled linearly with it (Goyal et al., 2017). */
export function scaledRate(rate: number, batch: number, meantFor: number): number {
  return (rate * batch) / meantFor;
}

export interface CosineOptions {
  /** What the rate rises to. */
  readonly peak: number;
  readonly stepsPerEpoch: number;
  readonly maxEpochs: number;
  /** Epochs of linear growth from 0; may be fractional or 0. */
  readonly warmupEpochs: number;
}

/**
 * Linear warm-up, then half a cosine down to 0 at the last step.
 *
 * @param iteration of the step that uses the rate, counted from 1: the first step's rate is positive
 */
export function cosineRate(options: CosineOptions, iteration: number): number {
  const { peak, stepsPerEpoch, maxEpochs, warmupEpochs } = options;
  const epoch = iteration / stepsPerEpoch;
  if (epoch <= warmupEpochs) return (peak * epoch) / warmupEpochs;
  const progress = Math.min((epoch - warmupEpochs) / (maxEpochs - warmupEpochs), 1);
  return (peak * (1 + Math.cos(Math.PI * progress))) / 2;
}

export interface MultiStepOptions {
  readonly baseRate: number;
  /** Steps from which on the rate is `gamma` times what it was before, ascending. */
  readonly milestones: readonly number[];
  readonly gamma: number;
  /** Steps of linear growth from `warmupFactor` times the rate; 0 = none. */
  readonly warmupSteps: number;
  readonly warmupFactor: number;
}

/**
 * Detectron2's schedule of detectors (`WarmupMultiStepLR`).
 *
 * @param step counted from 0
 */
export function multiStepRate(options: MultiStepOptions, step: number): number {
  const { baseRate, milestones, gamma, warmupSteps, warmupFactor } = options;
  const passed = milestones.filter((milestone) => milestone <= step).length;
  const alpha = step < warmupSteps ? step / warmupSteps : 1;
  return baseRate * gamma ** passed * (warmupFactor * (1 - alpha) + alpha);
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
