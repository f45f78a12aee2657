/**
 * ResNets of the original Detectron, from Caffe2: blobs as `res2_0_branch2a_w`, and norms of a scale and a shift only. As
 * Detectron2 reads them they have its own names, a mean of zeros and a variance of ones.
 */

import { hostTensor } from '../../core/array.js';
import type { StateDict } from '../state-dict.js';

/** Whether a dict holds such a network: the filters of its first convolution. */
export function isCaffe2(tensors: StateDict): boolean {
  const stem = tensors.get('conv1_w');
  return stem !== undefined && stem.shape.length === 4 && stem.shape[1] === 3;
}

/** The tensors under Detectron2's names, statistics added; what has no such name keeps its own. */
export function fromCaffe2(tensors: StateDict): StateDict {
  const dict: StateDict = new Map([...tensors].map(([key, tensor]) => [detectron2Name(key), tensor]));
  for (const [key, { shape }] of [...dict]) {
    if (!key.endsWith('.norm.weight')) continue;
    const norm = key.slice(0, -'weight'.length);
    for (const [leaf, value] of [
      ['running_mean', 0],
      ['running_var', 1],
    ] as const) {
      if (dict.has(norm + leaf)) continue;
      dict.set(norm + leaf, hostTensor('float32', shape, new Float32Array(shape[0]).fill(value)));
    }
  }
  return dict;
}

const LEAVES = new Map([
  ['w', 'weight'],
  ['b', 'bias'],
  ['bn_s', 'norm.weight'],
  ['bn_b', 'norm.bias'],
  ['bn_rm', 'norm.running_mean'],
  ['bn_riv', 'norm.running_var'],
]);
const BRANCHES = new Map([
  ['1', 'shortcut'],
  ['2a', 'conv1'],
  ['2b', 'conv2'],
  ['2c', 'conv3'],
]);

function detectron2Name(key: string): string {
  const [, module, leaf] = /^(.+?)_((?:bn_)?(?:w|b|s|rm|riv))$/.exec(key) ?? [];
  const name = LEAVES.get(leaf);
  if (name === undefined) return key;
  if (module === 'conv1' || module === 'res_conv1') return `stem.conv1.${name}`;
  if (/^fc\d+$/.test(module)) return `linear.${name}`;
  const [, stage, block, branch] = /^res(\d)_(\d+)_branch(1|2[abc])$/.exec(module) ?? [];
  const layer = BRANCHES.get(branch);
  return layer === undefined ? key : `res${stage}.${block}.${layer}.${name}`;
}
