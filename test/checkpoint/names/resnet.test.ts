/** Names and shapes against what is known of the networks, and against the networks that are trained here. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isCounter, resnetNames, resnetShapes } from '../../../src/checkpoint/names/resnet.js';
import { RESNET_NAMES } from '../../../src/core/architectures.js';
import { elementCount } from '../../../src/core/array.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import { ResNet } from '../../../src/models/backbone/resnet.js';
import { ModuleStore } from '../../../src/nn/module-store.js';
import { openRuntime } from '../../helpers/engine.js';

describe('resnetShapes', () => {
  it.each([
    // Numbers of names and of parameters without fc; for 50 and 101 those of torchvision's documentation less its fc.
    ['resnet18', 120, 11_176_512],
    ['resnet34', 216, 21_284_672],
    ['resnet50', 318, 23_508_032],
    ['resnet101', 624, 42_500_160],
  ] as const)('%s', (network, names, parameters) => {
    const shapes = resnetShapes(network);
    const isParameter = (key: string) => /\.(weight|bias)$/.test(key);
    const counted = [...shapes].filter(([key]) => isParameter(key)).map(([, shape]) => elementCount(shape));
    expect(shapes.size).toBe(names);
    expect(counted.reduce((sum, count) => sum + count)).toBe(parameters);
  });
});

describe('the networks that are trained', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openRuntime();
  });
  afterAll(() => runtime.close());

  it.each(RESNET_NAMES)('%s declares the same names and shapes', (network) => {
    const store = new ModuleStore(runtime, network);
    new ResNet(store, '', network);
    const names = resnetNames('sequential', network);
    const declared = store.entries.map(({ key, shape }) => [names.get(key), [...shape]]);
    const expected = [...resnetShapes(network)].filter(([key]) => !isCounter(key));
    expect(declared).toEqual(expected.map(([key, shape]) => [key, [...shape]]));
  });
});

describe('resnetNames', () => {
  it.each([
    ['sequential', '4.0.conv1.weight', 'layer1.0.conv1.weight'],
    ['sequential', '1.running_var', 'bn1.running_var'],
    ['sequential', '7.2.bn3.bias', 'layer4.2.bn3.bias'],
    ['detectron2', 'stem.conv1.weight', 'conv1.weight'],
    ['detectron2', 'stem.conv1.norm.running_var', 'bn1.running_var'],
    ['detectron2', 'res2.0.shortcut.weight', 'layer1.0.downsample.0.weight'],
    ['detectron2', 'res2.0.shortcut.norm.bias', 'layer1.0.downsample.1.bias'],
    ['detectron2', 'res4.5.conv2.weight', 'layer3.5.conv2.weight'],
    ['detectron2', 'res5.2.conv3.norm.weight', 'layer4.2.bn3.weight'],
    ['transformers', 'embedder.embedder.convolution.weight', 'conv1.weight'],
    ['transformers', 'encoder.stages.0.layers.0.shortcut.normalization.bias', 'layer1.0.downsample.1.bias'],
    ['transformers', 'encoder.stages.3.layers.2.layer.2.convolution.weight', 'layer4.2.conv3.weight'],
  ] as const)('%s: %s is %s', (spelling, theirs, ours) => {
    expect(resnetNames(spelling, 'resnet50').get(theirs)).toBe(ours);
  });

  it('lists 320 names of ResNet-50, classifier included', () => {
    expect(resnetNames('torchvision', 'resnet50').size).toBe(320);
    expect(resnetNames('torchvision', 'resnet101').size).toBe(626);
  });
});
