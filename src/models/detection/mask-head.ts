/** From the pooled map of a region to a mask for each class (He et al., "Mask R-CNN", 2017): four convolutions, twice the side. */

import { ConvNorm } from '../../nn/conv-norm.js';
import { normal } from '../../nn/init.js';
import { Conv2d, ConvTranspose2x2 } from '../../nn/layers.js';
import type { ModuleStore } from '../../nn/module-store.js';
import type { Mode, NormKind } from '../../nn/norm.js';
import { relu } from '../../ops/relu.js';
import type { Tensor } from '../../ops/tf.js';

/** Side of a region's map, and of its masks. */
export const MASK_POOL_SIDE = 14;
export const MASK_SIDE = 28;

const CONVS = 4;

export interface MaskHeadOptions {
  /** C, of the pyramid. */
  channels: number;
  /** Channels of the convolutions. */
  convDim: number;
  /** K, without background. */
  classes: number;
  /** Of the four convolutions. */
  norm: NormKind;
}

export class MaskHead {
  readonly #convs: ConvNorm[];
  readonly #deconv: ConvTranspose2x2;
  readonly #predictor: Conv2d;

  /** @param prefix of the names, e.g. `roi_heads.mask_head.` */
  constructor(store: ModuleStore, prefix: string, options: MaskHeadOptions) {
    const { channels, convDim, classes, norm } = options;
    this.#convs = Array.from({ length: CONVS }, (_, i) => {
      const name = `${prefix}mask_fcn${i + 1}`;
      const inputs = i === 0 ? channels : convDim;
      return new ConvNorm(store, [name, `${name}.norm`], { inputs, outputs: convDim, kernel: 3, norm });
    });
    this.#deconv = new ConvTranspose2x2(store, `${prefix}deconv`, { inputs: convDim, outputs: convDim });
    this.#predictor = new Conv2d(store, `${prefix}predictor`, {
      inputs: convDim,
      outputs: classes,
      kernel: 1,
      bias: true,
      initial: normal(0.001),
    });
  }

  /** [M, 14, 14, C] to logits [M, 28, 28, K] */
  forward(regions: Tensor, mode: Mode): Tensor {
    let x = regions;
    for (const conv of this.#convs) x = relu(conv.forward(x, mode));
    return this.#predictor.forward(relu(this.#deconv.forward(x)));
  }
}
