/** A detector run's numbers, worked out once from the configuration: as it is said, or scaled with the batch. */

import type { ResolvedConfig } from '../../config/load.js';
import type { DetectConfig } from '../../config/schemas/detect.js';
import { stepScale } from '../../config/schemas/detect-rules.js';
import { multiStepRate, scaledRate } from '../../solver/schedule.js';
import type { RunOutline } from '../shared/run-outline.js';

export interface DetectPlan {
  /** N */
  readonly batch: number;
  readonly totalSteps: number;
  /** Detectors have no epochs: one that is as long as the run. */
  readonly stepsPerEpoch: number;
  readonly warmupSteps: number;
  readonly milestones: readonly number[];
  /** Steps between evaluations; 0 = after the last only. */
  readonly evalSteps: number;
  readonly peak: number;
  /** Learning rate of a step, counted from 0. */
  rate(step: number): number;
}

/**
 * The linear rule (Goyal et al., 2017) as Detectron2 has it: a batch k times as large has k times the rate, and a k-th of all
 * numbers of steps.
 */
export function makeDetectPlan({ train }: DetectConfig): DetectPlan {
  const { batch_size: batch, reference_batch: reference } = train;
  const scale = stepScale(train);
  const steps = (count: number) => Math.round(count * scale);
  const totalSteps = Math.max(1, steps(train.max_steps));
  const milestones = train.steps_at.map(steps);
  const warmupSteps = steps(train.warmup_steps);
  const peak = train.auto_scale ? scaledRate(train.lr, batch, reference) : train.lr;
  const schedule = {
    baseRate: peak,
    milestones,
    gamma: train.gamma,
    warmupSteps,
    warmupFactor: train.warmup_factor,
  };
  return {
    batch,
    totalSteps,
    stepsPerEpoch: totalSteps,
    warmupSteps,
    milestones,
    evalSteps: train.eval_steps === 0 ? 0 : Math.max(1, steps(train.eval_steps)),
    peak,
    rate: (step) => multiStepRate(schedule, step),
  };
}

/** @param images that are trained on */
export function outlineDetect(
  { config, configName }: Pick<ResolvedConfig<DetectConfig>, 'config' | 'configName'>,
  { batch, totalSteps, peak, milestones, warmupSteps }: DetectPlan,
  images: number,
): RunOutline {
  const { model, input, train } = config;
  const sides = [...new Set([Math.min(...input.min_size_train), Math.max(...input.min_size_train)])];
  return {
    recipe: configName,
    what: `${model.masks ? 'Mask' : 'Faster'} R-CNN, ${model.backbone} and FPN, shorter side ${sides.join(' to ')} px`,
    images,
    classes: undefined,
    batch: { key: 'train/batch_size', value: batch, used: batch },
    length: { key: 'train/max_steps', unit: 'steps', totalSteps, epochs: (totalSteps * batch) / images },
    rate: {
      key: 'train/lr',
      value: train.lr,
      forImages: train.reference_batch,
      peak,
      warmupSteps,
      fall: milestones.length === 0 ? 'not falling' : `falling at ${milestones.join(', ')}`,
    },
  };
}
