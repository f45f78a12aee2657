/**
 * ResNet-18/34/50/101 (He et al., 2015) with torchvision's structure: the stride of a bottleneck is in its 3x3
 * convolution. Parameters carry the names of the SCRL reference, which keeps the children of torchvision's ResNet in a
 * nameless sequence: 0 = conv1, 1 = bn1, 4 to 7 = layer1 to layer4.
 */

import {
  ARCHITECTURES,
  type ResNetArchitecture,
  type ResNetName,
  resnetChannels,
  stageWidth,
} from '../../core/architectures.js';
import { ConvNorm } from '../../nn/conv-norm.js';
import type { ModuleStore } from '../../nn/module-store.js';
import type { Mode } from '../../nn/norm.js';
import { add } from '../../ops/add.js';
import { maxPool } from '../../ops/max-pool.js';
import { relu } from '../../ops/relu.js';
import type { Tensor } from '../../ops/tf.js';

/** Ratio of the input's side to that of the last feature map, and of each stage's map. */
export const STRIDES = { res2: 4, res3: 8, res4: 16, res5: 32 } as const;

/** Feature maps after each stage: [N, S / stride, S / stride, C]. */
export type FeatureMaps = Record<keyof typeof STRIDES, Tensor>;

export class ResNet {
  readonly channels: number;
  readonly #stem: ConvNorm;
  readonly #stages: ResidualBlock[][];

  /** @param prefix of the names, e.g. `encoder.` */
  constructor(store: ModuleStore, prefix: string, name: ResNetName) {
    const architecture = ARCHITECTURES[name];
    this.channels = resnetChannels(name);
    const stem = { inputs: 3, outputs: 64, kernel: 7, stride: 2, norm: 'batch' } as const;
    this.#stem = new ConvNorm(store, [`${prefix}0`, `${prefix}1`], stem);
    let inputs = 64;
    this.#stages = architecture.blocks.map((count, stage) =>
      Array.from({ length: count }, (_, i) => {
        const width = stageWidth(stage);
        const stride = i === 0 && stage > 0 ? 2 : 1;
        const block = new ResidualBlock(store, `${prefix}${4 + stage}.${i}`, {
          inputs,
          width,
          stride,
          architecture,
        });
        inputs = block.outputs;
        return block;
      }),
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

/**
 * Two or three convolutions, ReLU between them, and the identity (or its 1x1 projection) added before the last ReLU. The
 * stride is in the first 3x3.
 */
class ResidualBlock {
  /** Channels. */
  readonly outputs: number;
  readonly #main: ConvNorm[];
  readonly #shortcut: ConvNorm | undefined;

  constructor(
    store: ModuleStore,
    path: string,
    options: { inputs: number; width: number; stride: number; architecture: ResNetArchitecture },
  ) {
    const { inputs, width, stride, architecture } = options;
    const { kernels, expansion } = architecture;
    this.outputs = width * expansion;
    let before = inputs;
    this.#main = kernels.map((kernel, i) => {
      const paths = [`${path}.conv${i + 1}`, `${path}.bn${i + 1}`] as const;
      const outputs = i === kernels.length - 1 ? this.outputs : width;
      const strided = i === kernels.indexOf(3);
      const layer = new ConvNorm(store, paths, {
        inputs: before,
        outputs,
        kernel,
        stride: strided ? stride : 1,
        norm: 'batch',
      });
      before = outputs;
      return layer;
    });
    if (stride === 1 && inputs === this.outputs) return;
    const paths = [`${path}.downsample.0`, `${path}.downsample.1`] as const;
    this.#shortcut = new ConvNorm(store, paths, {
      inputs,
      outputs: this.outputs,
      kernel: 1,
      stride,
      norm: 'batch',
    });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const last = this.#main.length - 1;
    let y = x;
    for (const layer of this.#main.slice(0, last)) y = relu(layer.forward(y, mode));
    y = this.#main[last].forward(y, mode);
    return relu(add(y, this.#shortcut?.forward(x, mode) ?? x));
  }
}
