/** Normalisation by channel, in the kinds that backbones and detectors are built with. */

import type { Variable } from '../engine/variable.js';
import { batchNormInference, batchNormTraining } from '../ops/batch-norm.js';
import { frozenScaleShift, type ScaleShift } from '../ops/frozen-norm.js';
import { syncBatchNorm } from '../ops/sync-batch-norm.js';
import { scope, type Tensor, tf } from '../ops/tf.js';
import { weightedBatchNorm } from '../ops/weighted-batch-norm.js';
import { constant } from './init.js';
import type { ModuleStore } from './module-store.js';

/** Whether batch norm uses the statistics of the batch (and updates its running ones) or the running ones. */
export type Mode = 'training' | 'inference';

/**
 * `frozen`: constants; `batch`: statistics of the batch; `sync`: the same over all replicas, with sums of better precision.
 */
export type NormKind = 'frozen' | 'batch' | 'sync' | 'none';

/** Declares a norm. In a frozen module batch norm becomes frozen too, as Detectron2 converts it. */
export function norm(
  store: ModuleStore,
  path: string,
  channels: number,
  kind: NormKind,
): BatchNorm | FrozenBatchNorm | undefined {
  if (kind === 'none') return undefined;
  return kind === 'frozen' || store.isFrozen
    ? new FrozenBatchNorm(store, path, channels)
    : new BatchNorm(store, path, channels, { sync: kind === 'sync' });
}

/** Batch normalisation over all axes but the last; eps 1e-5, momentum 0.1. */
export class BatchNorm {
  readonly #path: string;
  readonly #normalize: typeof batchNormTraining;
  readonly #scale: Variable;
  readonly #offset: Variable;
  readonly #mean: Variable;
  readonly #variance: Variable;

  /** @param options `sync` sums as `syncBatchNorm` does */
  constructor(store: ModuleStore, path: string, channels: number, { sync = false } = {}) {
    this.#path = `${store.module}.${path}`;
    this.#normalize = sync ? syncBatchNorm : batchNormTraining;
    this.#scale = store.parameter(`${path}.weight`, 'norm-weight', [channels], constant(1));
    this.#offset = store.parameter(`${path}.bias`, 'norm-bias', [channels], constant(0));
    this.#mean = store.buffer(`${path}.running_mean`, [channels], constant(0));
    const counter = `${path}.num_batches_tracked`;
    this.#variance = store.buffer(`${path}.running_var`, [channels], constant(1), counter);
  }

  /**
   * @param x [N, H, W, C] or rows [R, C]
   * @param weights [R, 1] of zeros for padding rows and ones; with rows and in training only
   */
  forward(x: Tensor, mode: Mode, weights?: Tensor): Tensor {
    return scope(this.#path, () => {
      if (weights !== undefined && mode === 'training') return this.#weighted(x, weights);
      if (x.shape.length === 4) return this.#fused(x, mode);
      const [rows, channels] = x.shape;
      return tf.reshape(this.#fused(tf.reshape(x, [rows, 1, 1, channels]), mode), [rows, channels]);
    });
  }

  #fused(x: Tensor, mode: Mode): Tensor {
    const running = { mean: this.#mean.read(), variance: this.#variance.read() };
    if (mode === 'inference') return batchNormInference(x, this.#scale.read(), this.#offset.read(), running);
    const result = this.#normalize(x, this.#scale.read(), this.#offset.read(), running);
    this.#update(result.running);
    return result.y;
  }

  #weighted(x: Tensor, weights: Tensor): Tensor {
    const running = { mean: this.#mean.read(), variance: this.#variance.read() };
    const result = weightedBatchNorm(x, weights, this.#scale.read(), this.#offset.read(), running);
    this.#update(result.running);
    return result.y;
  }

  #update(running: { mean: Tensor; variance: Tensor }): void {
    this.#mean.assign(running.mean);
    this.#variance.assign(running.variance);
  }
}

/**
 * Batch norm as constants: four buffers, no parameters, the same in training and inference, eps 1e-5. It is given to the
 * convolution before it. As declared it changes nothing: variance + eps = 1.
 */
export class FrozenBatchNorm {
  readonly #path: string;
  readonly #weight: Variable;
  readonly #bias: Variable;
  readonly #mean: Variable;
  readonly #variance: Variable;

  constructor(store: ModuleStore, path: string, channels: number) {
    this.#path = `${store.module}.${path}`;
    this.#weight = store.buffer(`${path}.weight`, [channels], constant(1));
    this.#bias = store.buffer(`${path}.bias`, [channels], constant(0));
    this.#mean = store.buffer(`${path}.running_mean`, [channels], constant(0));
    this.#variance = store.buffer(`${path}.running_var`, [channels], constant(1 - 1e-5));
  }

  /** y = x scale + shift */
  scaleShift(): ScaleShift {
    return scope(this.#path, () =>
      frozenScaleShift({
        weight: this.#weight.read(),
        bias: this.#bias.read(),
        mean: this.#mean.read(),
        variance: this.#variance.read(),
      }),
    );
  }
}
