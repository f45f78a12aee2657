/** Layers: they declare their parameters in a `ModuleStore` and apply operations to them under their own name. */

import type { Variable } from '../engine/variable.js';
import { biasAdd } from '../ops/bias-add.js';
import { convTranspose2x2 } from '../ops/conv-transpose.js';
import { conv2d } from '../ops/conv2d.js';
import { type ScaleShift, scaleFilter } from '../ops/frozen-norm.js';
import { linear } from '../ops/linear.js';
import { scope, type Tensor } from '../ops/tf.js';
import { constant, type Initializer, kaimingNormalFanOut, linearUniform } from './init.js';
import type { Layout } from './layout.js';
import type { ModuleStore } from './module-store.js';

export interface Conv2dShape {
  inputs: number;
  outputs: number;
  kernel: number;
  /** Default 1. */
  stride?: number;
  /** Zeros on each side of both spatial axes; by default a stride of 1 keeps the size. */
  padding?: number;
}

export interface Conv2dOptions extends Conv2dShape {
  /** Default false, as a norm follows in most places. It starts at 0. */
  bias?: boolean;
  /** Default He-normal by fan_out. */
  initial?: Initializer;
}

/** Convolution. */
export class Conv2d {
  readonly #path: string;
  readonly #stride: number;
  readonly #padding: number;
  readonly #weight: Variable;
  readonly #bias: Variable | undefined;

  constructor(store: ModuleStore, path: string, options: Conv2dOptions) {
    const { inputs, outputs, kernel, stride = 1, padding = kernel >> 1, bias = false } = options;
    const { initial = kaimingNormalFanOut(outputs, kernel) } = options;
    this.#path = `${store.module}.${path}`;
    this.#stride = stride;
    this.#padding = padding;
    this.#weight = store.parameter(`${path}.weight`, 'conv', [outputs, inputs, kernel, kernel], initial);
    this.#bias = bias ? store.parameter(`${path}.bias`, 'bias', [outputs], constant(0)) : undefined;
  }

  /**
   * @param x [N, H, W, inputs]
   * @param after what a frozen norm does to the outputs
   * @returns [N, (H + 2 padding - kernel) / stride + 1, ..., outputs], sides rounded down
   */
  forward(x: Tensor, after?: ScaleShift): Tensor {
    return this.#convolve(x, this.#padding, after);
  }

  /** The outputs of single cells. @param x [N, kernel, kernel, inputs], what the filter sees  @returns [N, 1, 1, outputs] */
  forwardPatches(x: Tensor): Tensor {
    return this.#convolve(x, 0);
  }

  #convolve(x: Tensor, padding: number, after?: ScaleShift): Tensor {
    return scope(this.#path, () => {
      const weight = this.#weight.read();
      const filter = after === undefined ? weight : scaleFilter(weight, after.scale);
      const bias = after?.shift ?? this.#bias?.read();
      const y = conv2d(x, filter, this.#stride, padding);
      return bias === undefined ? y : biasAdd(y, bias);
    });
  }
}

/** Transposed 2x2 convolution of stride 2, which doubles both sides. */
export class ConvTranspose2x2 {
  readonly #path: string;
  readonly #weight: Variable;
  readonly #bias: Variable;

  constructor(store: ModuleStore, path: string, { inputs, outputs }: { inputs: number; outputs: number }) {
    this.#path = `${store.module}.${path}`;
    // PyTorch counts the fan of a filter from its shape, in which inputs come first here.
    const initial = kaimingNormalFanOut(inputs, 2);
    this.#weight = store.parameter(`${path}.weight`, 'conv', [inputs, outputs, 2, 2], initial);
    this.#bias = store.parameter(`${path}.bias`, 'bias', [outputs], constant(0));
  }

  /** [N, H, W, inputs] to [N, 2H, 2W, outputs] */
  forward(x: Tensor): Tensor {
    return scope(this.#path, () => biasAdd(convTranspose2x2(x, this.#weight.read()), this.#bias.read()));
  }
}

export interface LinearOptions {
  inputs: number;
  outputs: number;
  bias: boolean;
  /** Of the weight, the bias then starts at 0; default PyTorch's, of both. */
  initial?: Initializer;
  /** Of the weight; default as in the state dict. */
  layout?: Layout;
}

/** Fully connected layer. */
export class Linear {
  readonly #path: string;
  readonly #weight: Variable;
  readonly #bias: Variable | undefined;

  constructor(store: ModuleStore, path: string, options: LinearOptions) {
    const { inputs, outputs, bias, initial, layout } = options;
    const standard = linearUniform(inputs);
    const start = initial === undefined ? standard : constant(0);
    this.#path = `${store.module}.${path}`;
    this.#weight = store.parameter(
      `${path}.weight`,
      'linear',
      [outputs, inputs],
      initial ?? standard,
      layout,
    );
    this.#bias = bias ? store.parameter(`${path}.bias`, 'bias', [outputs], start) : undefined;
  }

  /** [R, inputs] to [R, outputs] */
  forward(x: Tensor): Tensor {
    return scope(this.#path, () => linear(x, this.#weight.read(), this.#bias?.read()));
  }
}
