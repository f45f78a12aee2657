/**
 * Precise BN (Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021, as fvcore's `update_bn_stats`): the running statistics of
 * all batch norms, measured anew over many training batches with the weights as they are.
 *
 * Moving averages look back over weights that have changed since, and over few images. The statistics of a batch count by its
 * elements; the variance of all includes that between batches. The images are those of steps of their own stream, so that the
 * training goes on as if nothing had been measured.
 */

import type { LiveLog } from '../../core/log.js';
import type { Step } from '../../engine/step.js';
import { compiledOnce } from '../../engine/step-cache.js';
import type { Variable } from '../../engine/variable.js';
import type { Detector } from '../../models/detection/networks.js';
import { runTrainStep, type TrainBatch, type TrainResult } from '../../models/detection/train-host.js';
import { compileForwardStep } from '../../models/detection/train-step.js';
import { MOMENTUM } from '../../ops/batch-norm.js';
import { Progress } from '../../report/progress.js';
import { trainHostOptions } from './sampling.js';
import { type DetectParts, preparedBatches } from './task.js';

const MEAN = '.running_mean';
const VARIANCE = '.running_var';

/** What a norm's statistics are made of: mean and mean of squares, each batch with its weight. */
interface Norm {
  readonly key: string;
  readonly mean: Variable;
  readonly variance: Variable;
  readonly first: Float64Array;
  readonly second: Float64Array;
  weight: number;
}

type PreciseBnParts = DetectParts & { readonly log: LiveLog };

/** @returns what measures all statistics, as often as it is called. Nothing to do where every norm is frozen. */
export function preciseStatistics(parts: PreciseBnParts): () => Promise<void> {
  const { config, plan, model } = parts;
  // Once: graphs only grow.
  const forward = compiledOnce(() =>
    compileForwardStep(model.runtime, model.detector, {
      images: plan.batch,
      candidatesPerLevel: config.model.rpn.pre_nms_topk_train,
      anchorsPerImage: config.model.rpn.batch_size_per_image,
    }),
  );
  return async () => {
    const norms = normsOf(model.detector);
    if (norms.length > 0) await measure(parts, norms, forward());
  };
}

async function measure(
  parts: PreciseBnParts,
  norms: readonly Norm[],
  forward: Step<string, string>,
): Promise<void> {
  const { config, model, log } = parts;
  const { runtime, detector } = model;
  const variables = norms.flatMap(({ mean, variance }) => [mean, variance]);
  const options = trainHostOptions(config, detector.options.classes);
  const { steps } = config.train.precise_bn;
  const progress = new Progress(log, { label: 'statistics of batch norm', total: steps });
  // Images in an order of their own: training goes on as if nothing had been measured.
  const batches = preparedBatches({ ...parts, config: { ...config, seed: config.seed + 1 } }, 0);
  for (let step = 1; step <= steps; step++) {
    const { value } = await batches.next();
    if (value === undefined) throw new Error('unreachable: batches never end');
    // From zeros, a running statistic is `MOMENTUM` times that of the batch.
    await runtime.clear(variables);
    const result = await runTrainStep(forward, value.fed, 0, options);
    await addBatch(parts, norms, variables, value.fed, result);
    progress.update(step);
  }
  await batches.return();
  progress.finish();
  await runtime.writeAll(norms.flatMap(populationStatistics));
}

function normsOf({ store }: Detector): Norm[] {
  const byKey = new Map(store.entries.map((entry) => [entry.key, entry]));
  return store.entries.flatMap(({ key, variable, counter }) => {
    // Only norms that are trained count their batches.
    if (!key.endsWith(VARIANCE) || counter === undefined) return [];
    const name = key.slice(0, -VARIANCE.length);
    const mean = byKey.get(name + MEAN);
    if (mean === undefined) throw new Error(`unreachable: ${key} has no mean`);
    const sums = () => new Float64Array(variable.size);
    return [{ key: name, mean: mean.variable, variance: variable, first: sums(), second: sums(), weight: 0 }];
  });
}

async function addBatch(
  { model }: DetectParts,
  norms: readonly Norm[],
  variables: readonly Variable[],
  batch: TrainBatch,
  result: TrainResult,
): Promise<void> {
  const values = (await model.runtime.readAll([...variables])) as Float32Array[];
  for (const [i, norm] of norms.entries()) {
    const [mean, variance] = [values[2 * i], values[2 * i + 1]];
    const weight = elementsIn(norm.key, batch, result);
    norm.weight += weight;
    for (let c = 0; c < mean.length; c++) {
      const own = mean[c] / MOMENTUM;
      norm.first[c] += weight * own;
      norm.second[c] += weight * (variance[c] / MOMENTUM + own * own);
    }
  }
}

/** In proportion to the elements that a norm averages: cells of the images, or regions. */
function elementsIn(key: string, { height, width, targets }: TrainBatch, { regions }: TrainResult): number {
  if (!key.startsWith('roi_heads.')) return targets.length * height * width;
  const masks = key.startsWith('roi_heads.mask_head.');
  return regions.reduce((sum, { foreground, classes }) => sum + (masks ? foreground : classes.length), 0);
}

/** Of a norm that saw nothing, the statistics stay those of its initial values. */
function populationStatistics({ mean, variance, first, second, weight }: Norm): [Variable, Float32Array][] {
  const means = Float32Array.from(first, (sum) => (weight === 0 ? 0 : sum / weight));
  const variances = Float32Array.from(second, (sum, c) => {
    return weight === 0 ? 1 : Math.max(0, sum / weight - (first[c] / weight) ** 2);
  });
  return [
    [mean, means],
    [variance, variances],
  ];
}
