/** Detectors out of files, and how they are built. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDetector } from '../../src/checkpoint/load-detector.js';
import { detectorKey } from '../../src/checkpoint/names/detector.js';
import type { StateDict } from '../../src/checkpoint/state-dict.js';
import { elementCount, hostTensor, type TensorSource } from '../../src/core/array.js';
import { writeTorchFile } from '../../src/formats/torch-pth.js';
import { type FileValue, numberOf } from '../../src/formats/value.js';
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

  /** What older versions of Detectron2 save besides. */
  const constants = (mean: number[], deviation: number[], sides: readonly number[]): StateDict => {
    const edges = (side: number) =>
      [0.5, 1, 2].flatMap((ratio) => {
        const [x, y] = [side / Math.sqrt(ratio) / 2, (side * Math.sqrt(ratio)) / 2];
        return [-x, -y, x, y];
      });
    return new Map([
      ['pixel_mean', hostTensor('float32', [3, 1, 1], Float32Array.from(mean))],
      ['pixel_std', hostTensor('float32', [3, 1, 1], Float32Array.from(deviation))],
      ...sides.map((side, i): [string, TensorSource] => [
        `proposal_generator.anchor_generator.cell_anchors.${i}`,
        hostTensor('float32', [3, 4], Float32Array.from(edges(side))),
      ]),
    ]);
  };
  const BLUE_FIRST = [103.53, 116.28, 123.675];
  const RED_FIRST = [123.675, 116.28, 103.53];
  const DEVIATION = [58.395, 57.12, 57.375];

  it("takes pixels and anchors from Detectron2's constants", async () => {
    const sides = [16, 32, 64, 128, 256];
    const msra = new Map([...stateDict(FROZEN), ...constants(BLUE_FIRST, [1, 1, 1], sides)]);
    const { options, about, description } = await load(new Map([['model', msra]]));
    expect(options.weightsStyle).toBe('msra');
    expect(description).toContain('msra style');
    expect((about.get('anchor_sizes') as FileValue[]).map(numberOf)).toEqual(sides);
    expect((about.get('anchor_ratios') as FileValue[]).map(numberOf)).toEqual([0.5, 1, 2]);
    const torch = new Map([...stateDict(FROZEN), ...constants(RED_FIRST, DEVIATION, [])]);
    expect((await load(torch)).options.weightsStyle).toBe('torch');
  });

  it('refuses pixels and anchors of other kinds', async () => {
    const mixed = new Map([...stateDict(FROZEN), ...constants(BLUE_FIRST, DEVIATION, [])]);
    await expect(load(mixed)).rejects.toThrow(/mean 103\.53, 116\.28, 123\.675 and deviation 58\.395/);
    const several = hostTensor('float32', [2, 4], Float32Array.of(-8, -8, 8, 8, -16, -16, 16, 16));
    const anchors = new Map([['proposal_generator.anchor_generator.cell_anchors.0', several]]);
    await expect(load(new Map([...stateDict(FROZEN), ...anchors]))).rejects.toThrow(
      'anchors of several sizes',
    );
  });

  it.each([
    [80, 'Detectron2 Model Zoo', 'person', 'msra'],
    [80, 'somebody', undefined, 'torch'],
    [3, 'Detectron2 Model Zoo', undefined, 'msra'],
  ])('of %i classes, by %s: the first is %s, style %s', async (classes, author, first, style) => {
    const value: FileValue = new Map<string, FileValue>([
      ['model', stateDict({ ...FROZEN, classes })],
      ['__author__', author],
      ['matching_heuristics', true],
    ]);
    const { about, options } = await load(value);
    const names = about.get('classes') as string[] | undefined;
    expect(names?.[0]).toBe(first);
    expect(names?.length).toBe(first && 80);
    expect(options).toMatchObject({ classes, weightsStyle: style });
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
