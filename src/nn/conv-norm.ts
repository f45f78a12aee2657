import type { Tensor } from '../ops/tf.js';
import type { Initializer } from './init.js';
import { Conv2d, type Conv2dShape } from './layers.js';
import type { ModuleStore } from './module-store.js';
import { type BatchNorm, FrozenBatchNorm, type Mode, type NormKind, norm } from './norm.js';

export interface ConvNormOptions extends Conv2dShape {
  norm: NormKind;
  initial?: Initializer;
}

/** Names of a convolution and of the norm behind it. */
export type ConvNormPaths = readonly [conv: string, norm: string];

/** A convolution and its norm, or its bias where there is no norm, declared in the order of PyTorch's state dict. */
export class ConvNorm {
  readonly #conv: Conv2d;
  readonly #norm: BatchNorm | FrozenBatchNorm | undefined;

  constructor(store: ModuleStore, [conv, path]: ConvNormPaths, options: ConvNormOptions) {
    this.#conv = new Conv2d(store, conv, { ...options, bias: options.norm === 'none' });
    this.#norm = norm(store, path, options.outputs, options.norm);
  }

  /** [N, H, W, inputs] to [N, ..., outputs], see `Conv2d` */
  forward(x: Tensor, mode: Mode): Tensor {
    if (this.#norm instanceof FrozenBatchNorm) return this.#conv.forward(x, this.#norm.scaleShift());
    const y = this.#conv.forward(x);
    return this.#norm?.forward(y, mode) ?? y;
  }
}
