/** Which blocks each ResNet has (He et al., 2015, table 1). */

export type ResNetName = 'resnet18' | 'resnet34' | 'resnet50' | 'resnet101';

export interface ResNetArchitecture {
  /** Kernel sizes of the convolutions of a block: two (basic) or three (bottleneck). */
  readonly kernels: readonly number[];
  /** Channels that leave a block, relative to its width. */
  readonly expansion: number;
  /** Blocks in each of the four stages. */
  readonly blocks: readonly [number, number, number, number];
}

const BASIC = { kernels: [3, 3], expansion: 1 };
const BOTTLENECK = { kernels: [1, 3, 1], expansion: 4 };

export const ARCHITECTURES: Readonly<Record<ResNetName, ResNetArchitecture>> = {
  resnet18: { ...BASIC, blocks: [2, 2, 2, 2] },
  resnet34: { ...BASIC, blocks: [3, 4, 6, 3] },
  resnet50: { ...BOTTLENECK, blocks: [3, 4, 6, 3] },
  resnet101: { ...BOTTLENECK, blocks: [3, 4, 23, 3] },
};

/** Channels within the blocks of a stage, counted from 0. */
export function stageWidth(stage: number): number {
  return 64 << stage;
}

/** Channels of the last feature map. */
export function resnetChannels(name: ResNetName): number {
  return stageWidth(3) * ARCHITECTURES[name].expansion;
}

/** What can be taken out of a network: the maps of its stages, and the mean of the last. */
export const LAYERS = ['res2', 'res3', 'res4', 'res5', 'pooled'] as const;
export type Layer = (typeof LAYERS)[number];
