/** Detectors out of files, and how they are built. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDetector } from '../../src/checkpoint/load-detector.js';
import { detectorKey } from '../../src/checkpoint/names/detector.js';
import type { StateDict } from '../../src/checkpoint/state-dict.js';
import { elementCount, hostTensor } from '../../src/core/array.js';
import { writeTorchFile } from '../../src/formats/torch-pth.js';
import type { FileValue } from '../../src/formats/value.js';
import { Detector, type DetectorOptions } from '../../src/models/detection/networks.js';
import { declaringRuntime, stateKeys } from '../helpers/declared.js';
import { resnet, tensorOf } from './networks.js';

const FROZEN: DetectorOptions = {
  backbone: 'resnet18',
  weightsStyle: 'torch',
  freezeAt: 5,
  norms: { backbone: 'frozen', fpn: 'none', boxHead: 'none', maskHead: 'none' },
  boxHead: 'fc2',
  masks: false,
  classes: 3,
  fpnChannels: 8,
  fcDim: 16,
  convDim: 256,
  anchors: 3,
  boxSide: 7,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'detector-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** The state dict of a detector, in the order of its modules. */
function stateDict(options: DetectorOptions): StateDict {
  const { store } = new Detector(declaringRuntime(), options);
  const shapes = new Map(store.entries.map(({ key, shape }) => [key, shape]));
  return new Map(stateKeys(store).map((key) => [key, tensorOf(key, shapes.get(key) ?? [])]));
}

async function load(value: FileValue) {
  const path = join(folder, 'detector.pth');
  await writeTorchFile(path, value);
  return loadDetector(path);
}

describe('loadDetector', () => {
  const ALL = { backbone: 'frozen', fpn: 'frozen', boxHead: 'frozen', maskHead: 'frozen' } as const;

  it.each([
    ['Faster R-CNN', FROZEN],
    ['Mask R-CNN', { ...FROZEN, masks: true, convDim: 8 }],
    ['more anchors, larger regions', { ...FROZEN, anchors: 5, boxSide: 9 }],
    ['norms everywhere', { ...FROZEN, masks: true, convDim: 8, norms: ALL, boxHead: '4conv1fc' }],
  ] as [string, DetectorOptions][])('says how it is built: %s', async (_, options) => {
    const dict = stateDict(options);
    const { options: found, tensors } = await load(new Map([['model', dict]]));
    expect(found).toEqual(options);
    expect(new Set(tensors.keys())).toEqual(new Set(dict.keys()));
    for (const [key, { shape }] of tensors) expect(shape, key).toEqual(dict.get(key)?.shape);
  });

  it('calls norms that were trained frozen, and keeps their counters', async () => {
    const norms = { backbone: 'batch', fpn: 'batch', boxHead: 'none', maskHead: 'none' } as const;
    const { options, tensors } = await load(stateDict({ ...FROZEN, norms }));
    expect(options.norms).toEqual({ ...norms, backbone: 'frozen', fpn: 'frozen' });
    expect(tensors.has('backbone.fpn_lateral2.norm.num_batches_tracked')).toBe(true);
  });

  it("recognises Caffe2's style by statistics that are folded in", async () => {
    const dict = stateDict(FROZEN);
    const key = 'backbone.bottom_up.stem.conv1.norm.running_mean';
    const shape = dict.get(key)?.shape ?? [];
    dict.set(key, hostTensor('float32', shape, new Float32Array(elementCount(shape))));
    expect((await load(dict)).options.weightsStyle).toBe('msra');
  });

  const asTorchvision = (dict: StateDict): StateDict =>
    new Map([
      ...resnet('resnet18', 'torchvision', 'backbone.body.'),
      ...[...dict].flatMap(([key, tensor]) =>
        key.includes('bottom_up') ? [] : [[detectorKey('torchvision', key), tensor] as const],
      ),
    ]);
  const lacking = (key: string) => new Map([...stateDict(FROZEN)].filter(([name]) => name !== key));

  it.each([
    ['a backbone', resnet('resnet18'), /holds a backbone, but no detector/],
    ["torchvision's detector", asTorchvision(stateDict(FROZEN)), /torchvision's, which has other anchors/],
    [
      'a detector without a layer',
      lacking('roi_heads.box_head.fc2.weight'),
      /missing \(1\):\n {4}roi_heads\.box_head\.fc2\.weight/,
    ],
  ])('refuses %s', async (_, dict, message) => {
    await expect(load(dict)).rejects.toThrow(message);
  });
});
