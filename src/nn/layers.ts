/** Layers: they declare their parameters in a `ModuleStore` and apply operations to them under their own name. */

import type { Variable } from '../engine/variable.js';
import { batchNormInference, batchNormTraining } from '../ops/batch-norm.js';
import { conv2d } from '../ops/conv2d.js';
import { linear } from '../ops/linear.js';
import { scope, type Tensor, tf } from '../ops/tf.js';
import { weightedBatchNorm } from '../ops/weighted-batch-norm.js';
import { constant, kaimingNormalFanOut, linearUniform } from './init.js';
import type { ModuleStore } from './module-store.js';

/** Whether batch norm uses the statistics of the batch (and updates its running ones) or the running ones. */
export type Mode = 'training' | 'inference';

/** Convolution without bias, as ResNets have it. */
export class Conv2d {
  readonly #path: string;
  readonly #stride: number;
  readonly #padding: number;
  readonly #weight: Variable;

  constructor(
    store: ModuleStore,
    path: string,
    shape: { inputs: number; outputs: number; kernel: number; stride: number },
  ) {
    const { inputs, outputs, kernel, stride } = shape;
    this.#path = `${store.module}.${path}`;
    this.#stride = stride;
    this.#padding = kernel >> 1;
    const initial = kaimingNormalFanOut(outputs, kernel);
    this.#weight = store.parameter(`${path}.weight`, 'conv', [outputs, inputs, kernel, kernel], initial);
  }

  /** [N, H, W, inputs] to [N, ceil(H / stride), ceil(W / stride), outputs] */
  forward(x: Tensor): Tensor {
    return scope(this.#path, () => conv2d(x, this.#weight.read(), this.#stride, this.#padding));
  }
}

/** Batch normalisation over all axes but the last; eps 1e-5, momentum 0.1. */
export class BatchNorm {
  readonly #path: string;
  readonly #scale: Variable;
  readonly #offset: Variable;
  readonly #mean: Variable;
  readonly #variance: Variable;

  constructor(store: ModuleStore, path: string, channels: number) {
    this.#path = `${store.module}.${path}`;
    this.#scale = store.parameter(`${path}.weight`, 'norm-weight', [channels], constant(1));
    this.#offset = store.parameter(`${path}.bias`, 'norm-bias', [channels], constant(0));
    this.#mean = store.buffer(`${path}.running_mean`, [channels], constant(0));
    this.#variance = store.buffer(`${path}.running_var`, [channels], constant(1));
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
    const result = batchNormTraining(x, this.#scale.read(), this.#offset.read(), running);
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

/** Fully connected layer. */
export class Linear {
  readonly #path: string;
  readonly #weight: Variable;
  readonly #bias: Variable | undefined;

  constructor(store: ModuleStore, path: string, shape: { inputs: number; outputs: number; bias: boolean }) {
    const { inputs, outputs, bias } = shape;
    this.#path = `${store.module}.${path}`;
    const initial = linearUniform(inputs);
    this.#weight = store.parameter(`${path}.weight`, 'linear', [outputs, inputs], initial);
    this.#bias = bias ? store.parameter(`${path}.bias`, 'bias', [outputs], initial) : undefined;
  }

  /** [R, inputs] to [R, outputs] */
  forward(x: Tensor): Tensor {
    return scope(this.#path, () => linear(x, this.#weight.read(), this.#bias?.read()));
  }
}
