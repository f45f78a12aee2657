/**
 * What the tensors of a ResNet are called, by toolkit.
 *
 * Names of one toolkit become those of another through torchvision's, the ones most of the field uses. Each spelling is a
 * table of module names; the tables for an architecture follow from it.
 */

import {
  ARCHITECTURES,
  type ResNetArchitecture,
  type ResNetName,
  resnetChannels,
  stageWidth,
} from '../../core/architectures.js';

/** Names of a convolution and of the norm behind it. */
type ConvNorm = readonly [conv: string, norm: string];

/** Stages count from 1, blocks from 0, layers within a block from 1. */
interface Spelling {
  readonly stem: ConvNorm;
  layer(stage: number, block: number, layer: number): ConvNorm;
  shortcut(stage: number, block: number): ConvNorm;
  readonly classifier: string;
}

export type SpellingName = 'torchvision' | 'sequential' | 'detectron2' | 'transformers';

const SPELLINGS: Readonly<Record<SpellingName, Spelling>> = {
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
  },
  transformers: {
    stem: ['embedder.embedder.convolution', 'embedder.embedder.normalization'],
    layer: (s, b, i) => convolutionOf(`encoder.stages.${s - 1}.layers.${b}.layer.${i - 1}`),
    shortcut: (s, b) => convolutionOf(`encoder.stages.${s - 1}.layers.${b}.shortcut`),
    classifier: 'classifier.1',
  },
};

function convolutionOf(path: string): ConvNorm {
  return [`${path}.convolution`, `${path}.normalization`];
}

export const SPELLING_NAMES = Object.keys(SPELLINGS) as SpellingName[];

/** torchvision's name of the first convolution. */
export const STEM = 'conv1.weight';
/** What a batch norm holds, in PyTorch's order. Files may lack the counter. */
const NORM = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'] as const;

export function isCounter(key: string): boolean {
  return key.endsWith('num_batches_tracked');
}

/** The name of the first convolution's filters. */
export function stemKey(spelling: SpellingName): string {
  return `${SPELLINGS[spelling].stem[0]}.weight`;
}

/**
 * torchvision's names by those of a spelling, in the order of PyTorch's state dict; the classifier, which many files do
 * not have, last.
 */
export function resnetNames(spelling: SpellingName, network: ResNetName): Map<string, string> {
  const theirs = parameters(SPELLINGS[spelling], ARCHITECTURES[network]);
  const ours = parameters(SPELLINGS.torchvision, ARCHITECTURES[network]);
  return new Map(theirs.map((key, i) => [key, ours[i]]));
}

function parameters(spelling: Spelling, architecture: ResNetArchitecture): string[] {
  const modules = [
    spelling.stem,
    ...architecture.blocks.flatMap((count, s) =>
      Array.from({ length: count }, (_, b) => [
        ...architecture.kernels.map((_kernel, i) => spelling.layer(s + 1, b, i + 1)),
        ...(hasShortcut(architecture, s, b) ? [spelling.shortcut(s + 1, b)] : []),
      ]).flat(),
    ),
  ];
  return [
    ...modules.flatMap(([conv, norm]) => [`${conv}.weight`, ...NORM.map((leaf) => `${norm}.${leaf}`)]),
    `${spelling.classifier}.weight`,
    `${spelling.classifier}.bias`,
  ];
}

/** The first block of a stage has one, unless it neither strides nor widens. */
function hasShortcut({ expansion }: ResNetArchitecture, stage: number, block: number): boolean {
  return block === 0 && (stage > 0 || expansion > 1);
}

/** Shapes by torchvision's names, without classifier. Filters are OIHW. */
export function resnetShapes(network: ResNetName): Map<string, readonly number[]> {
  const { kernels, expansion, blocks } = ARCHITECTURES[network];
  const shapes = new Map<string, readonly number[]>();
  const { stem, layer, shortcut } = SPELLINGS.torchvision;
  const add = ([conv, norm]: ConvNorm, outputs: number, inputs: number, kernel: number) => {
    shapes.set(`${conv}.weight`, [outputs, inputs, kernel, kernel]);
    for (const leaf of NORM) shapes.set(`${norm}.${leaf}`, isCounter(leaf) ? [] : [outputs]);
  };
  add(stem, 64, 3, 7);
  let inputs = 64;
  blocks.forEach((count, s) => {
    const width = stageWidth(s);
    for (let b = 0; b < count; b++) {
      let before = inputs;
      kernels.forEach((kernel, i) => {
        const outputs = i === kernels.length - 1 ? width * expansion : width;
        add(layer(s + 1, b, i + 1), outputs, before, kernel);
        before = outputs;
      });
      if (hasShortcut(ARCHITECTURES[network], s, b)) add(shortcut(s + 1, b), before, inputs, 1);
      inputs = before;
    }
  });
  return shapes;
}

/** torchvision's name of the classifier's weights, and their shape. */
export const CLASSIFIER = ['fc.weight', 'fc.bias'] as const;

export function classifierShapes(network: ResNetName, classes: number): Map<string, readonly number[]> {
  return new Map<string, readonly number[]>([
    [CLASSIFIER[0], [classes, resnetChannels(network)]],
    [CLASSIFIER[1], [classes]],
  ]);
}
