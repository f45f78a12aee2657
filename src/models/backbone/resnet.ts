/**
 * ResNet-18/34/50/101 (He et al., 2015) with torchvision's structure: the stride of a bottleneck is in its 3x3
 * convolution. Parameters carry the names of the SCRL reference, which keeps the children of torchvision's ResNet in a
 * nameless sequence: 0 = conv1, 1 = bn1, 4 to 7 = layer1 to layer4.
 */

import { BatchNorm, Conv2d, type Mode } from '../../nn/layers.js';
import type { ModuleStore } from '../../nn/module-store.js';
import { add } from '../../ops/add.js';
import { maxPool } from '../../ops/max-pool.js';
import { relu } from '../../ops/relu.js';
import type { Tensor } from '../../ops/tf.js';

export type ResNetName = 'resnet18' | 'resnet34' | 'resnet50' | 'resnet101';

interface Architecture {
  block: typeof BasicBlock | typeof Bottleneck;
  /** Blocks in each of the four stages. */
  blocks: readonly [number, number, number, number];
}

/** Ratio of the input's side to that of the last feature map, and of each stage's map. */
export const STRIDES = { res2: 4, res3: 8, res4: 16, res5: 32 } as const;

/** Feature maps after each stage: [N, S / stride, S / stride, C]. */
export type FeatureMaps = Record<keyof typeof STRIDES, Tensor>;

/** Channels of the last feature map. */
export function resnetChannels(name: ResNetName): number {
  return 512 * ARCHITECTURES[name].block.expansion;
}

export class ResNet {
  readonly channels: number;
  readonly #stem: ConvNorm;
  readonly #stages: ResidualBlock[][];

  /** @param prefix of the names, e.g. `encoder.` */
  constructor(store: ModuleStore, prefix: string, name: ResNetName) {
    const { block: Block, blocks } = ARCHITECTURES[name];
    this.channels = 512 * Block.expansion;
    const stem = { inputs: 3, outputs: 64, kernel: 7, stride: 2 };
    this.#stem = new ConvNorm(store, [`${prefix}0`, `${prefix}1`], stem);
    let inputs = 64;
    this.#stages = blocks.map((count, stage) =>
      Array.from({ length: count }, (_, i) => {
        const width = 64 << stage;
        const stride = i === 0 && stage > 0 ? 2 : 1;
        const block = new Block(store, `${prefix}${4 + stage}.${i}`, inputs, width, stride);
        inputs = width * Block.expansion;
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

/** A convolution and its batch norm, declared in the order of PyTorch's state dict. */
class ConvNorm {
  readonly #conv: Conv2d;
  readonly #norm: BatchNorm;

  constructor(
    store: ModuleStore,
    paths: readonly [conv: string, norm: string],
    shape: { inputs: number; outputs: number; kernel: number; stride: number },
  ) {
    this.#conv = new Conv2d(store, paths[0], shape);
    this.#norm = new BatchNorm(store, paths[1], shape.outputs);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.#norm.forward(this.#conv.forward(x), mode);
  }
}

/** Two or three convolutions, ReLU between them, and the identity (or its 1x1 projection) added before the last ReLU. */
abstract class ResidualBlock {
  readonly #main: ConvNorm[];
  readonly #shortcut: ConvNorm | undefined;

  constructor(
    store: ModuleStore,
    path: string,
    shape: { inputs: number; outputs: number; stride: number },
    convolutions: { outputs: number; kernel: number; stride: number }[],
  ) {
    const { inputs, outputs, stride } = shape;
    let before = inputs;
    this.#main = convolutions.map((convolution, i) => {
      const paths = [`${path}.conv${i + 1}`, `${path}.bn${i + 1}`] as const;
      const layer = new ConvNorm(store, paths, { inputs: before, ...convolution });
      before = convolution.outputs;
      return layer;
    });
    if (stride === 1 && inputs === outputs) return;
    const paths = [`${path}.downsample.0`, `${path}.downsample.1`] as const;
    this.#shortcut = new ConvNorm(store, paths, { inputs, outputs, kernel: 1, stride });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const last = this.#main.length - 1;
    let y = x;
    for (const layer of this.#main.slice(0, last)) y = relu(layer.forward(y, mode));
    y = this.#main[last].forward(y, mode);
    return relu(add(y, this.#shortcut?.forward(x, mode) ?? x));
  }
}

class BasicBlock extends ResidualBlock {
  static readonly expansion = 1;

  constructor(store: ModuleStore, path: string, inputs: number, width: number, stride: number) {
    super(store, path, { inputs, outputs: width, stride }, [
      { outputs: width, kernel: 3, stride },
      { outputs: width, kernel: 3, stride: 1 },
    ]);
  }
}

class Bottleneck extends ResidualBlock {
  static readonly expansion = 4;

  constructor(store: ModuleStore, path: string, inputs: number, width: number, stride: number) {
    super(store, path, { inputs, outputs: 4 * width, stride }, [
      { outputs: width, kernel: 1, stride: 1 },
      { outputs: width, kernel: 3, stride },
      { outputs: 4 * width, kernel: 1, stride: 1 },
    ]);
  }
}

const ARCHITECTURES: Record<ResNetName, Architecture> = {
  resnet18: { block: BasicBlock, blocks: [2, 2, 2, 2] },
  resnet34: { block: BasicBlock, blocks: [3, 4, 6, 3] },
  resnet50: { block: Bottleneck, blocks: [3, 4, 6, 3] },
  resnet101: { block: Bottleneck, blocks: [3, 4, 23, 3] },
};
