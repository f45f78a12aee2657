/**
 * Feature pyramid (Lin et al., 2017): every stage's map at the same number of channels, what is seen coarsely added to what
 * is seen finely. No ReLU anywhere. Detectron2's names and its order: level by level, lateral before output.
 */

import { ConvNorm } from '../../nn/conv-norm.js';
import { caffe2XavierFill } from '../../nn/init.js';
import type { ModuleStore } from '../../nn/module-store.js';
import type { Mode, NormKind } from '../../nn/norm.js';
import { maxPool } from '../../ops/max-pool.js';
import type { Tensor } from '../../ops/tf.js';
import { upsampleAdd } from '../../ops/upsample-add.js';
import type { FeatureMaps } from '../backbone/resnet.js';

/** Maps of the pyramid, [N, H / 4, W / 4, C] to [N, H / 64, W / 64, C]; p6 serves the region proposals only. */
export type PyramidMaps = Record<'p2' | 'p3' | 'p4' | 'p5' | 'p6', Tensor>;

export interface FpnOptions {
  /** Channels of res2 to res5. */
  inputs: readonly number[];
  /** C, of every level. */
  channels: number;
  /** Without a norm convolutions have a bias. */
  norm: NormKind;
}

export class Fpn {
  readonly #laterals: ConvNorm[] = [];
  readonly #outputs: ConvNorm[] = [];

  /** @param prefix of the names, e.g. `backbone.` */
  constructor(store: ModuleStore, prefix: string, { inputs, channels, norm }: FpnOptions) {
    const declare = (name: string, from: number, kernel: number) =>
      new ConvNorm(store, [`${prefix}${name}`, `${prefix}${name}.norm`], {
        inputs: from,
        outputs: channels,
        kernel,
        norm,
        initial: caffe2XavierFill(from * kernel * kernel),
      });
    for (const [i, from] of inputs.entries()) {
      this.#laterals.push(declare(`fpn_lateral${i + 2}`, from, 1));
      this.#outputs.push(declare(`fpn_output${i + 2}`, channels, 3));
    }
  }

  /** @param maps of images whose sides are multiples of 32: every level is then exactly twice the next */
  forward({ res2, res3, res4, res5 }: FeatureMaps, mode: Mode): PyramidMaps {
    const laterals = [res2, res3, res4, res5].map((map, i) => this.#laterals[i].forward(map, mode));
    const fused = laterals.slice(-1);
    for (const lateral of laterals.slice(0, -1).reverse()) fused.unshift(upsampleAdd(lateral, fused[0]));
    const [p2, p3, p4, p5] = fused.map((map, i) => this.#outputs[i].forward(map, mode));
    return { p2, p3, p4, p5, p6: maxPool(p5, 1, 2, 0) };
  }
}
