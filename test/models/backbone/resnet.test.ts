/** What a ResNet declares under the names of each toolkit, and where its strides are. */

import { describe, expect, it } from 'vitest';
import { resnetNames } from '../../../src/checkpoint/names/resnet.js';
import { ARCHITECTURES, RESNET_NAMES, type ResNetName } from '../../../src/core/architectures.js';
import { ResNet, type ResNetOptions } from '../../../src/models/backbone/resnet.js';
import { resnetLayers } from '../../../src/models/backbone/resnet-layers.js';
import { countElements, declaredStore, stateKeys } from '../../helpers/declared.js';

function declare(network: ResNetName, options: ResNetOptions = {}) {
  const store = declaredStore();
  new ResNet(store, 'bottom_up.', network, options);
  return store;
}

const leaves = (path: string, ...leaves: string[]) => leaves.map((leaf) => `bottom_up.${path}.${leaf}`);
const FROZEN = ['weight', 'norm.weight', 'norm.bias', 'norm.running_mean', 'norm.running_var'];
const BATCH = [...FROZEN, 'norm.num_batches_tracked'];

describe("a ResNet under Detectron2's names", () => {
  it.each([
    ['resnet50', 'frozen', FROZEN],
    ['resnet50', 'batch', BATCH],
  ] as const)(
    '%s, %s norms: the shortcut comes first, counters with batch norm only',
    (network, norm, tensors) => {
      const keys = stateKeys(declare(network, { spelling: 'detectron2', norm }));
      const modules = [
        'stem.conv1',
        ...['shortcut', 'conv1', 'conv2', 'conv3'].map((layer) => `res2.0.${layer}`),
      ];
      expect(keys.slice(0, 5 * tensors.length)).toEqual(modules.flatMap((path) => leaves(path, ...tensors)));
      expect(keys).toHaveLength(53 * tensors.length);
    },
  );

  it('resnet18: no shortcut in res2, and one in res3', () => {
    const keys = stateKeys(declare('resnet18', { spelling: 'detectron2', norm: 'frozen' }));
    const filters = keys.filter((key) => !key.includes('norm')).map((key) => key.replace('bottom_up.', ''));
    expect(filters.slice(0, 8).map((key) => key.replace('.weight', ''))).toEqual([
      'stem.conv1',
      'res2.0.conv1',
      'res2.0.conv2',
      'res2.1.conv1',
      'res2.1.conv2',
      'res3.0.shortcut',
      'res3.0.conv1',
      'res3.0.conv2',
    ]);
  });

  it.each(RESNET_NAMES)('%s: the names of files', (network) => {
    const keys = stateKeys(declare(network, { spelling: 'detectron2' }));
    const known = [...resnetNames('detectron2', network).keys()].filter((key) => !key.startsWith('linear.'));
    expect(new Set(keys)).toEqual(new Set(known.map((key) => `bottom_up.${key}`)));
  });
});

describe('freezeAt', () => {
  it.each([
    // Parameters of the stages behind, of 23,508,032 in all: the stem has 9,408 + 128, res2 of ResNet-50 215,808.
    [0, 23_508_032, 0],
    [1, 23_508_032 - 9_536, 1],
    [2, 23_508_032 - 9_536 - 215_808, 11],
    [5, 0, 53],
  ])('%i', (freezeAt, trained, frozenNorms) => {
    const store = declare('resnet50', { spelling: 'detectron2', freezeAt });
    expect(countElements(store.parameters())).toBe(trained);
    const counters = stateKeys(store).filter((key) => key.endsWith('num_batches_tracked'));
    expect(counters).toHaveLength(53 - frozenNorms);
    expect(store.entries).toHaveLength(53 * 5);
  });
});

describe('the stride of the first block of res3', () => {
  const stridesOf = (network: ResNetName, style: 'torch' | 'msra') => {
    const { main, shortcut } = resnetLayers(ARCHITECTURES[network], style).stages[1][0];
    return [...main.map(({ stride }) => stride), shortcut?.stride];
  };

  it.each([
    ['resnet50', 'torch', [1, 2, 1, 2]],
    ['resnet50', 'msra', [2, 1, 1, 2]],
    ['resnet18', 'torch', [2, 1, 2]],
    ['resnet18', 'msra', [2, 1, 2]],
  ] as const)('%s, %s', (network, style, strides) => {
    expect(stridesOf(network, style)).toEqual(strides);
  });
});
