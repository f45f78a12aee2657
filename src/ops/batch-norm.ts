/**
 * Batch normalisation as one TensorFlow operation forward and one backward, with the running statistics of PyTorch:
 * new = (1 - momentum) old + momentum batch, where the batch variance is the unbiased one.
 *
 * `weightedBatchNorm` in its own file serves batches of which some rows are padding.
 */

import { TF_FLOAT } from '../engine/types.js';
import type { Operation } from '../tensorflow/graph.js';
import { recomputable } from './recompute.js';
import { sideOf } from './shape.js';
import {
  expectShape,
  FLOAT,
  op,
  operation,
  type Tensor,
  tf,
  toOutput,
  toTensor,
  withGradient,
} from './tf.js';

export const EPSILON = 1e-5;
export const MOMENTUM = 0.1;

/** One value for each channel, [C]. */
export interface ChannelStatistics {
  mean: Tensor;
  variance: Tensor;
}

function attributes(training: boolean, momentum: number) {
  return {
    ...gradientAttributes(training),
    exponential_avg_factor: { kind: 'float', value: momentum },
  } as const;
}

function gradientAttributes(training: boolean) {
  return {
    T: { kind: 'type', value: TF_FLOAT },
    U: { kind: 'type', value: TF_FLOAT },
    epsilon: { kind: 'float', value: EPSILON },
    data_format: { kind: 'string', value: 'NHWC' },
    is_training: { kind: 'bool', value: training },
  } as const;
}

/**
 * Normalises with the statistics of the batch.
 *
 * @param x [N, H, W, C]; an open N may be 0
 * @param scale, offset [C]
 * @param running statistics before this batch
 * @returns the output, and the running statistics after this batch
 */
export function batchNormTraining(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  running: ChannelStatistics,
): { y: Tensor; running: ChannelStatistics } {
  expectShape('the input of batchNorm', x, ['N', 'H', 'W', scale.shape[0]]);
  let updated: ChannelStatistics | undefined;
  const y = withGradient([x, scale, offset], () => {
    const inputs = [x, scale, offset, running.mean, running.variance].map(toOutput);
    const { outputs } = operation('FusedBatchNormV3', inputs, attributes(true, MOMENTUM));
    const [value, mean, variance, ...reserved] = outputs.map(toTensor);
    recomputable(
      value,
      (after) => operation('FusedBatchNormV3', inputs, attributes(true, MOMENTUM), [after]).outputs[0],
    );
    updated = {
      mean: tf.keep(unlessEmpty(x, mean, running.mean)),
      variance: tf.keep(unlessEmpty(x, variance, running.variance)),
    };
    return {
      value,
      saved: [x, scale, ...reserved],
      gradient: (dy, [x, scale, ...reserved]) =>
        operation('FusedBatchNormGradV3', [dy, x, scale, ...reserved], gradientAttributes(true))
          .outputs.slice(0, 3)
          .map(toTensor),
    };
  });
  if (updated === undefined) throw new Error('unreachable: batchNorm was not traced');
  return { y, running: updated };
}

/** Where the number of images (or regions) is open it may be 0, of which TensorFlow has statistics that are no numbers. */
function unlessEmpty(x: Tensor, updated: Tensor, before: Tensor): Tensor {
  if ((x.shape[0] as number) >= 0) return updated;
  return op('SelectV2', [tf.greater(sideOf(x, 0), tf.scalar(0, 'int32')), updated, before], FLOAT);
}

/** One pass with known statistics, which the backward pass may make again. No gradient of its own. */
export function normalizedBy(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  { mean, variance }: ChannelStatistics,
): Tensor {
  const inputs = [x, scale, offset, mean, variance].map(toOutput);
  const normalize = (...after: Operation[]) =>
    operation('FusedBatchNormV3', inputs, attributes(false, 1), after).outputs[0];
  return recomputable(toTensor(normalize()), normalize);
}

/** Normalises with the running statistics; gradients treat them as constants. */
export function batchNormInference(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  { mean, variance }: ChannelStatistics,
): Tensor {
  expectShape('the input of batchNorm', x, ['N', 'H', 'W', scale.shape[0]]);
  return withGradient([x, scale, offset], () => {
    return {
      value: normalizedBy(x, scale, offset, { mean, variance }),
      saved: [x, scale, mean, variance],
      gradient: (dy, [x, scale, mean, variance]) =>
        operation(
          'FusedBatchNormGradV3',
          [dy, x, scale, mean, variance, tf.tensor1d([])],
          gradientAttributes(false),
        )
          .outputs.slice(0, 3)
          .map(toTensor),
    };
  });
}
