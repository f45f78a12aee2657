/**
 * ResNet-18/34/50/101 (He et al., 2015). Its layers are those of `resnet-layers.ts`; under whose names, with which norms,
 * and how much of it is frozen, is the builder's choice.
 */

import { ARCHITECTURES, type ResNetName, resnetChannels } from '../../core/architectures.js';
import { ConvNorm } from '../../nn/conv-norm.js';
import type { ModuleStore } from '../../nn/module-store.js';
import type { Mode, NormKind } from '../../nn/norm.js';
import { add } from '../../ops/add.js';
import { maxPool } from '../../ops/max-pool.js';
import { relu } from '../../ops/relu.js';
import type { Tensor } from '../../ops/tf.js';
import { resnetLayers, type WeightsStyle } from './resnet-layers.js';
import { type NamedBlock, type NamedLayer, namedBlock, SPELLINGS, type SpellingName } from './spellings.js';

/** Ratio of the input's side to that of the last feature map, and of each stage's map. */
export const STRIDES = { res2: 4, res3: 8, res4: 16, res5: 32 } as const;

/** Feature maps after each stage: [N, S / stride, S / stride, C]. */
export type FeatureMaps = Record<keyof typeof STRIDES, Tensor>;

export interface ResNetOptions {
  /** Default `sequential`, the SCRL reference's. */
  spelling?: SpellingName;
  /** Default `torch`. */
  style?: WeightsStyle;
  /** Default `batch`. */
  norm?: NormKind;
  /** Freezes the stem from 1 on, res2 from 2, ..., res5 from 5. Default 0. */
  freezeAt?: number;
}

export class ResNet {
  readonly channels: number;
  readonly #stem: ConvNorm;
  readonly #stages: ResidualBlock[][];

  /** @param prefix of the names, e.g. `encoder.` */
  constructor(store: ModuleStore, prefix: string, name: ResNetName, options: ResNetOptions = {}) {
    const { spelling: spellingName = 'sequential', style, norm = 'batch', freezeAt = 0 } = options;
    const spelling = SPELLINGS[spellingName];
    const { stem, stages } = resnetLayers(ARCHITECTURES[name], style);
    /** Declares the layers of a stage, of which the stem is number 0. */
    const declareIn = (stage: number): DeclareLayer => {
      const part = freezeAt > stage ? store.frozen() : store;
      return ({ names: [conv, bn], layer }) =>
        new ConvNorm(part, [prefix + conv, prefix + bn], { ...layer, norm });
    };
    this.channels = resnetChannels(name);
    this.#stem = declareIn(0)({ names: spelling.stem, layer: stem });
    this.#stages = stages.map((blocks, i) =>
      blocks.map(
        (block) =>
          new ResidualBlock(declareIn(i + 1), namedBlock(block, spelling), spelling.shortcutFirst === true),
      ),
    );
  }

  /**
   * @param images [N, S, S, 3] float32, normalised
   * @throws Error naming the layer when the shape does not fit
   */
  forward(images: Tensor, mode: Mode): FeatureMaps {
    let x = maxPool(relu(this.#stem.forward(images, mode)), 3, 2, 1);
    const [res2, res3, res4, res5] = this.#stages.map((stage) => {
      for (const block of stage) x = block.forward(x, mode);
      return x;
    });
    return { res2, res3, res4, res5 };
  }
}

type DeclareLayer = (layer: NamedLayer) => ConvNorm;

/** Two or three convolutions, ReLU between them, and the identity (or its 1x1 projection) added before the last ReLU. */
class ResidualBlock {
  readonly #main: ConvNorm[];
  readonly #shortcut: ConvNorm | undefined;

  /** @param shortcutFirst in the order of the state dict */
  constructor(declare: DeclareLayer, { main, shortcut }: NamedBlock, shortcutFirst: boolean) {
    const first = shortcutFirst && shortcut ? declare(shortcut) : undefined;
    this.#main = main.map(declare);
    this.#shortcut = first ?? (shortcut && declare(shortcut));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const last = this.#main.length - 1;
    let y = x;
    for (const layer of this.#main.slice(0, last)) y = relu(layer.forward(y, mode));
    y = this.#main[last].forward(y, mode);
    return relu(add(y, this.#shortcut?.forward(x, mode) ?? x));
  }
}
