/**
 * The tensors of a ResNet in files, by toolkit: names, order, shapes.
 *
 * Names of one toolkit become those of another through torchvision's, the ones most of the field uses.
 */

import { ARCHITECTURES, type ResNetName, resnetChannels } from '../../core/architectures.js';
import { resnetLayers } from '../../models/backbone/resnet-layers.js';
import { namedLayers, SPELLINGS, type Spelling, type SpellingName } from '../../models/backbone/spellings.js';

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
  const ours = parameters(SPELLINGS.torchvision, network);
  return new Map(parameters(SPELLINGS[spelling], network).map((key, i) => [key, ours[i]]));
}

function parameters(spelling: Spelling, network: ResNetName): string[] {
  const layers = namedLayers(resnetLayers(ARCHITECTURES[network]), spelling);
  return [
    ...layers.flatMap(({ names: [conv, norm] }) => [
      `${conv}.weight`,
      ...NORM.map((leaf) => `${norm}.${leaf}`),
    ]),
    `${spelling.classifier}.weight`,
    `${spelling.classifier}.bias`,
  ];
}

/** Shapes by torchvision's names, without classifier. Filters are OIHW. */
export function resnetShapes(network: ResNetName): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const layers = namedLayers(resnetLayers(ARCHITECTURES[network]), SPELLINGS.torchvision);
  for (const { names, layer } of layers) {
    const [conv, norm] = names;
    shapes.set(`${conv}.weight`, [layer.outputs, layer.inputs, layer.kernel, layer.kernel]);
    for (const leaf of NORM) shapes.set(`${norm}.${leaf}`, isCounter(leaf) ? [] : [layer.outputs]);
  }
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
