/** Which blocks each ResNet has (He et al., 2015, table 1). In core, because the config's rules compare with it too. */

export type ResNetName = 'resnet18' | 'resnet34' | 'resnet50' | 'resnet101';

export interface ResNetArchitecture {
  /** Kernel sizes of the convolutions of a block: two (basic) or three (bottleneck). */
  readonly kernels: readonly number[];
  /** Channels that leave a block, relative to its width. */
  readonly expansion: number;
  /** Blocks in each of the four stages. */
  readonly blocks: readonly [number, number, number, number];
}

export const BASIC = { kernels: [3, 3], expansion: 1 };
export const BOTTLENECK = { kernels: [1, 3, 1], expansion: 4 };

export const ARCHITECTURES: Readonly<Record<ResNetName, ResNetArchitecture>> = {
  resnet18: { ...BASIC, blocks: [2, 2, 2, 2] },
  resnet34: { ...BASIC, blocks: [3, 4, 6, 3] },
  resnet50: { ...BOTTLENECK, blocks: [3, 4, 6, 3] },
  resnet101: { ...BOTTLENECK, blocks: [3, 4, 23, 3] },
};

export const RESNET_NAMES = Object.keys(ARCHITECTURES) as ResNetName[];

/** Channels within the blocks of a stage, counted from 0. */
export function stageWidth(stage: number): number {
  return 64 << stage;
}

/** Channels of the map after each of the four stages. */
export function stageChannels(name: ResNetName): number[] {
  return [0, 1, 2, 3].map((stage) => stageWidth(stage) * ARCHITECTURES[name].expansion);
}

/** Channels of the last feature map. */
export function resnetChannels(name: ResNetName): number {
  return stageChannels(name)[3];
}

/** What can be taken out of a network: the maps of its stages, and the mean of the last. */
export const LAYERS = ['res2', 'res3', 'res4', 'res5', 'pooled'] as const;
export type Layer = (typeof LAYERS)[number];
