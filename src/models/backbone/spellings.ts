/** What the layers of a ResNet are called, by toolkit: by the same names they are built and found in files. */

import type { ResNetBlock, ResNetLayer, ResNetLayers } from './resnet-layers.js';

/** Names of a convolution and of the norm behind it. */
export type ConvNormNames = readonly [conv: string, norm: string];

export interface Spelling {
  readonly stem: ConvNormNames;
  /** Stages count from 1, blocks from 0, layers within a block from 1. */
  layer(stage: number, block: number, layer: number): ConvNormNames;
  shortcut(stage: number, block: number): ConvNormNames;
  readonly classifier: string;
  /** Detectron2 declares the shortcut of a block before its convolutions; the order of a state dict shows it. */
  readonly shortcutFirst?: true;
}

export type SpellingName = 'torchvision' | 'sequential' | 'detectron2' | 'transformers';

export const SPELLINGS: Readonly<Record<SpellingName, Spelling>> = {
  /** Also timm's and mmdetection's. */
  torchvision: {
    stem: ['conv1', 'bn1'],
    layer: (s, b, i) => [`layer${s}.${b}.conv${i}`, `layer${s}.${b}.bn${i}`],
    shortcut: (s, b) => [`layer${s}.${b}.downsample.0`, `layer${s}.${b}.downsample.1`],
    classifier: 'fc',
  },
  /** torchvision's modules in a nameless sequence: conv, norm, ReLU, max-pool, four stages. The SCRL reference, Lightly. */
  sequential: {
    stem: ['0', '1'],
    layer: (s, b, i) => [`${s + 3}.${b}.conv${i}`, `${s + 3}.${b}.bn${i}`],
    shortcut: (s, b) => [`${s + 3}.${b}.downsample.0`, `${s + 3}.${b}.downsample.1`],
    classifier: '9',
  },
  detectron2: {
    stem: ['stem.conv1', 'stem.conv1.norm'],
    layer: (s, b, i) => [`res${s + 1}.${b}.conv${i}`, `res${s + 1}.${b}.conv${i}.norm`],
    shortcut: (s, b) => [`res${s + 1}.${b}.shortcut`, `res${s + 1}.${b}.shortcut.norm`],
    classifier: 'linear',
    shortcutFirst: true,
  },
  transformers: {
    stem: ['embedder.embedder.convolution', 'embedder.embedder.normalization'],
    layer: (s, b, i) => convolutionOf(`encoder.stages.${s - 1}.layers.${b}.layer.${i - 1}`),
    shortcut: (s, b) => convolutionOf(`encoder.stages.${s - 1}.layers.${b}.shortcut`),
    classifier: 'classifier.1',
  },
};

function convolutionOf(path: string): ConvNormNames {
  return [`${path}.convolution`, `${path}.normalization`];
}

/** A layer and its names. */
export interface NamedLayer {
  readonly names: ConvNormNames;
  readonly layer: ResNetLayer;
}

export interface NamedBlock {
  readonly main: readonly NamedLayer[];
  readonly shortcut: NamedLayer | undefined;
}

/** The layers of a block under their names. */
export function namedBlock(block: ResNetBlock, spelling: Spelling): NamedBlock {
  const { stage, index, main, shortcut } = block;
  return {
    main: main.map((layer, i) => ({ names: spelling.layer(stage, index, i + 1), layer })),
    shortcut: shortcut && { names: spelling.shortcut(stage, index), layer: shortcut },
  };
}

/** All layers under their names, in torchvision's order: shortcuts behind the other layers of their block. */
export function namedLayers({ stem, stages }: ResNetLayers, spelling: Spelling): NamedLayer[] {
  const blocks = stages.flat().flatMap((block) => {
    const { main, shortcut } = namedBlock(block, spelling);
    return shortcut === undefined ? main : [...main, shortcut];
  });
  return [{ names: spelling.stem, layer: stem }, ...blocks];
}
