import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBackbone } from '../../../src/checkpoint/load-backbone.js';
import { fromCaffe2, isCaffe2 } from '../../../src/checkpoint/names/caffe2.js';
import type { StateDict } from '../../../src/checkpoint/state-dict.js';
import { loadTensor, type TensorSource } from '../../../src/core/array.js';
import { writeTorchFile } from '../../../src/formats/torch-pth.js';
import type { FileValue } from '../../../src/formats/value.js';
import { resnet, tensorOf } from '../networks.js';

const blob = (...shape: number[]): TensorSource => tensorOf(String(shape), shape);

const LEAVES = new Map([
  ['weight', 'w'],
  ['norm.weight', 'bn_s'],
  ['norm.bias', 'bn_b'],
]);
const BRANCHES = new Map([
  ['shortcut', '1'],
  ['conv1', '2a'],
  ['conv2', '2b'],
  ['conv3', '2c'],
]);

/** A ResNet-50 as the original Detectron keeps it, without statistics. */
function caffe2(): StateDict {
  const blobs = [...resnet('resnet50', 'detectron2')].flatMap(([key, tensor]): [string, TensorSource][] => {
    const [, module, leaf] = /^(.+?\.\w+?)\.((?:norm\.)?(?:weight|bias))$/.exec(key) ?? [];
    if (leaf === undefined) return [];
    const [, stage, block, layer] = /^res(\d)\.(\d+)\.(\w+)$/.exec(module) ?? [];
    const stem = leaf === 'weight' ? 'conv1' : 'res_conv1';
    const blob = layer === undefined ? stem : `res${stage}_${block}_branch${BRANCHES.get(layer)}`;
    return [[`${blob}_${LEAVES.get(leaf)}`, tensor]];
  });
  return new Map(blobs);
}

describe('names of Caffe2', () => {
  it.each([
    ['conv1_w', 'stem.conv1.weight'],
    ['conv1_b', 'stem.conv1.bias'],
    ['res_conv1_bn_s', 'stem.conv1.norm.weight'],
    ['res_conv1_bn_b', 'stem.conv1.norm.bias'],
    ['res2_0_branch1_w', 'res2.0.shortcut.weight'],
    ['res2_0_branch1_bn_s', 'res2.0.shortcut.norm.weight'],
    ['res4_22_branch2a_w', 'res4.22.conv1.weight'],
    ['res5_2_branch2c_bn_b', 'res5.2.conv3.norm.bias'],
    ['res3_1_branch2b_bn_rm', 'res3.1.conv2.norm.running_mean'],
    ['res3_1_branch2b_bn_riv', 'res3.1.conv2.norm.running_var'],
    ['fc1000_w', 'linear.weight'],
    ['fpn_inner_res2_2_sum_w', 'fpn_inner_res2_2_sum_w'],
    ['weight_order', 'weight_order'],
  ])('%s is %s', (theirs, ours) => {
    expect(fromCaffe2(new Map([[theirs, blob(4)]])).has(ours)).toBe(true);
  });

  it('get the statistics that Detectron2 gives them', async () => {
    const dict = fromCaffe2(new Map([['res_conv1_bn_s', blob(2)]]));
    const values = async (key: string) => [...(await loadTensor(dict.get(key) as TensorSource)).data];
    expect(await values('stem.conv1.norm.running_mean')).toEqual([0, 0]);
    expect(await values('stem.conv1.norm.running_var')).toEqual([1, 1]);
  });

  it('are recognised by the filters of the first convolution', () => {
    expect(isCaffe2(new Map([['conv1_w', blob(64, 3, 7, 7)]]))).toBe(true);
    expect(isCaffe2(new Map([['conv1_w', blob(64, 4, 7, 7)]]))).toBe(false);
  });
});

describe('a backbone of Caffe2', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'caffe2-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is read whole where its style is wanted, and refused elsewhere', async () => {
    const path = join(folder, 'R-50.pth');
    const value: FileValue = new Map([
      [
        'model',
        new Map([
          ...caffe2(),
          ['conv1_b', blob(64)],
          ['fc1000_w', blob(1000, 2048)],
          ['fc1000_b', blob(1000)],
        ]),
      ],
    ]);
    await writeTorchFile(path, value);
    await expect(loadBackbone(path)).rejects.toThrow(/looks like one of Caffe2/);
    const { network, style, tensors } = await loadBackbone(path, { anyStyle: true });
    expect([network, style]).toEqual(['resnet50', 'msra']);
    expect(tensors.size).toBe(53 * 5);
  });
});
