/**
 * From the pooled map of a region to its vector: two fully connected layers, or four convolutions and one of them (Wu and He,
 * "Group normalization", 2018), which is what has norms. Variables are flattened as TensorFlow does it, state dicts as PyTorch.
 */

import { ConvNorm } from '../../nn/conv-norm.js';
import { caffe2XavierFill } from '../../nn/init.js';
import { Linear } from '../../nn/layers.js';
import { flattenedLayout } from '../../nn/layout.js';
import type { ModuleStore } from '../../nn/module-store.js';
import type { Mode, NormKind } from '../../nn/norm.js';
import { relu } from '../../ops/relu.js';
import { reshape } from '../../ops/reshape.js';
import { expectShape, type Tensor } from '../../ops/tf.js';

export type BoxHeadKind = 'fc2' | '4conv1fc';

/** Side of a region's map where nothing else is said. */
export const BOX_SIDE = 7;

export interface BoxHeadOptions {
  kind: BoxHeadKind;
  /** C, of the pyramid. */
  channels: number;
  /** Channels of the convolutions. */
  convDim: number;
  /** D, units of the fully connected layers. */
  fcDim: number;
  /** Of the convolutions; fully connected layers have none. */
  norm: NormKind;
  /** P, side of a region's map; default 7. */
  side?: number;
}

const LAYERS = { fc2: { convs: 0, fcs: 2 }, '4conv1fc': { convs: 4, fcs: 1 } } as const;

export class BoxHead {
  /** P */
  readonly side: number;
  readonly #convs: ConvNorm[];
  readonly #fcs: Linear[];
  readonly #side: number;
  readonly #channels: number;
  /** Elements of a region's map behind the convolutions. */
  readonly #flat: number;

  /** @param prefix of the names, e.g. `roi_heads.box_head.` */
  constructor(store: ModuleStore, prefix: string, options: BoxHeadOptions) {
    const { kind, channels, convDim, fcDim, norm, side = BOX_SIDE } = options;
    const { convs, fcs } = LAYERS[kind];
    this.#side = side;
    this.#channels = channels;
    this.side = side;
    this.#convs = Array.from({ length: convs }, (_, i) => {
      const name = `${prefix}conv${i + 1}`;
      const inputs = i === 0 ? channels : convDim;
      return new ConvNorm(store, [name, `${name}.norm`], { inputs, outputs: convDim, kernel: 3, norm });
    });
    const depth = convs === 0 ? channels : convDim;
    this.#flat = depth * side ** 2;
    this.#fcs = Array.from({ length: fcs }, (_, i) => {
      const inputs = i === 0 ? this.#flat : fcDim;
      return new Linear(store, `${prefix}fc${i + 1}`, {
        inputs,
        outputs: fcDim,
        bias: true,
        initial: caffe2XavierFill(inputs),
        ...(i === 0 && { layout: flattenedLayout(fcDim, [depth, side, side]) }),
      });
    });
  }

  /** [R, P, P, C] to [R, D] */
  forward(regions: Tensor, mode: Mode): Tensor {
    // Flattened, maps of another side would be mixed up without a word.
    expectShape('the regions of the box head', regions, ['R', this.#side, this.#side, this.#channels]);
    let x = regions;
    for (const conv of this.#convs) x = relu(conv.forward(x, mode));
    x = reshape(x, [-1, this.#flat]);
    for (const fc of this.#fcs) x = relu(fc.forward(x));
    return x;
  }
}
