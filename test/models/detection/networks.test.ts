/** The detector against Detectron2's: names, their order, shapes, and the counts of its models. */

import { describe, expect, it } from 'vitest';
import {
  detectorShape,
  detectorSizes,
  requiredDetectorKeys,
} from '../../../src/checkpoint/names/detector.js';
import { resnetNames, resnetShapes } from '../../../src/checkpoint/names/resnet.js';
import { type ResNetName, stageChannels } from '../../../src/core/architectures.js';
import { Detector, type DetectorNorm, type DetectorOptions } from '../../../src/models/detection/networks.js';
import { countElements, declaringRuntime, stateKeys } from '../../helpers/declared.js';

const norms = (backbone: DetectorNorm, fpn: DetectorNorm, boxHead: DetectorNorm, maskHead: DetectorNorm) => ({
  backbone,
  fpn,
  boxHead,
  maskHead,
});

/** The 1x configuration of Faster R-CNN R50-FPN: frozen norms, stem and res2 frozen. */
const FASTER: DetectorOptions = {
  backbone: 'resnet50',
  weightsStyle: 'msra',
  freezeAt: 2,
  norms: norms('frozen', 'none', 'none', 'none'),
  boxHead: 'fc2',
  masks: false,
  classes: 80,
};
const MASK = { ...FASTER, masks: true };
const BATCH = { freezeAt: 0, norms: norms('batch', 'batch', 'none', 'none') };
const FIRST = { ...BATCH, freezeAt: 2 };
const MASK_NORM = { freezeAt: 0, norms: norms('batch', 'batch', 'none', 'batch') };
const ALL = { freezeAt: 0, norms: norms('batch', 'batch', 'batch', 'batch'), boxHead: '4conv1fc' } as const;
const R101: { backbone: ResNetName } = { backbone: 'resnet101' };

const declare = (options: DetectorOptions) => new Detector(declaringRuntime(), options).store;

describe('counts of Detectron2', () => {
  it.each([
    ['Faster R50', FASTER, 295, 41_699_936, 41_477_536],
    ['Mask R50', MASK, 307, 44_343_216, 44_120_816],
    ['Faster R101', { ...FASTER, ...R101 }, 550, 60_639_840, undefined],
    ['Mask R101', { ...MASK, ...R101 }, 562, 63_283_120, undefined],
    ['Faster R50, norms in backbone and FPN', { ...FASTER, ...BATCH }, 380, 41_755_104, 41_755_104],
    ['Mask R50, norms in backbone and FPN', { ...MASK, ...BATCH }, 392, 44_398_384, 44_398_384],
    ['Faster R50, the same, two stages frozen', { ...FASTER, ...FIRST }, undefined, 41_752_160, 41_529_760],
    ['Mask R50, the same, two stages frozen', { ...MASK, ...FIRST }, undefined, 44_395_440, 44_173_040],
    ['Mask R50, norms in the mask head too', { ...MASK, ...MASK_NORM }, 408, 44_399_408, 44_399_408],
    ['Faster R50, norms everywhere, 4conv1fc', { ...FASTER, ...ALL }, 402, 43_066_848, 43_066_848],
    ['Mask R50, norms everywhere, 4conv1fc', { ...MASK, ...ALL }, 430, 45_711_152, 45_711_152],
  ])('%s', (_, options, keys, parameters, trained) => {
    const store = declare(options);
    if (keys !== undefined) expect(stateKeys(store)).toHaveLength(keys);
    expect(countElements(store.entries.filter(({ role }) => role !== undefined))).toBe(parameters);
    if (trained !== undefined) expect(countElements(store.parameters())).toBe(trained);
  });

  it('all elements of Faster R50, buffers included', () => {
    expect(countElements(declare(FASTER).entries)).toBe(41_806_176);
  });
});

describe('the state dict', () => {
  const leaves = (...modules: string[]) =>
    modules.flatMap((module) => [`${module}.weight`, `${module}.bias`]);
  const normed = (module: string) => [
    `${module}.weight`,
    ...['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map(
      (leaf) => `${module}.norm.${leaf}`,
    ),
  ];

  it('is in the order of the modules: pyramid, backbone, proposals, heads', () => {
    const keys = stateKeys(declare(MASK)).filter((key) => !key.startsWith('backbone.bottom_up.'));
    expect(keys).toEqual([
      ...leaves(...[2, 3, 4, 5].flatMap((i) => [`backbone.fpn_lateral${i}`, `backbone.fpn_output${i}`])),
      ...leaves(
        ...['conv', 'objectness_logits', 'anchor_deltas'].map(
          (name) => `proposal_generator.rpn_head.${name}`,
        ),
        ...['box_head.fc1', 'box_head.fc2', 'box_predictor.cls_score', 'box_predictor.bbox_pred'].map(
          (name) => `roi_heads.${name}`,
        ),
        ...['mask_fcn1', 'mask_fcn2', 'mask_fcn3', 'mask_fcn4', 'deconv', 'predictor'].map(
          (name) => `roi_heads.mask_head.${name}`,
        ),
      ),
    ]);
    expect(stateKeys(declare(MASK))[16]).toBe('backbone.bottom_up.stem.conv1.weight');
  });

  it('has norms in place of biases where a part has norms', () => {
    const keys = stateKeys(declare({ ...MASK, ...ALL })).filter((key) => !key.includes('bottom_up'));
    expect(keys).toEqual([
      ...[2, 3, 4, 5].flatMap((i) => [`backbone.fpn_lateral${i}`, `backbone.fpn_output${i}`]).flatMap(normed),
      ...leaves(
        ...['conv', 'objectness_logits', 'anchor_deltas'].map(
          (name) => `proposal_generator.rpn_head.${name}`,
        ),
      ),
      ...[1, 2, 3, 4].flatMap((i) => normed(`roi_heads.box_head.conv${i}`)),
      ...leaves('roi_heads.box_head.fc1'),
      ...leaves('roi_heads.box_predictor.cls_score', 'roi_heads.box_predictor.bbox_pred'),
      ...[1, 2, 3, 4].flatMap((i) => normed(`roi_heads.mask_head.mask_fcn${i}`)),
      ...leaves('roi_heads.mask_head.deconv', 'roi_heads.mask_head.predictor'),
    ]);
  });

  const SMALL = { classes: 5, fpnChannels: 64, fcDim: 256, convDim: 32 };

  it.each([
    ['resnet18', { ...MASK, backbone: 'resnet18' }],
    ['resnet50', FASTER],
    ['resnet101 with norms everywhere', { ...MASK, ...R101, ...ALL }],
    ['narrow heads', { ...MASK, ...SMALL }],
    ['narrow heads with norms everywhere', { ...MASK, ...ALL, ...SMALL }],
  ] as [string, DetectorOptions][])('of %s has the names and shapes that files have', (_, options) => {
    const { backbone, classes } = options;
    const shapes = resnetShapes(backbone);
    const body = [...resnetNames('detectron2', backbone)].map(
      ([theirs, ours]) => [`backbone.bottom_up.${theirs}`, shapes.get(ours)] as const,
    );
    const expected = new Map<string, readonly number[] | undefined>(body);
    const behind = declare(options).entries.filter(({ key }) => !expected.has(key));
    const parts = new Map(behind.map((entry) => [entry.key, entry]));
    const sizes = detectorSizes(parts, stageChannels(backbone), classes);
    for (const { key, shape } of behind) expect([key, shape]).toEqual([key, detectorShape(key, sizes)]);
    const required = requiredDetectorKeys(new Set(parts.keys()));
    expect(required.filter((key) => !parts.has(key))).toEqual([]);
    const statistics = [...parts.keys()].filter((key) => !required.includes(key));
    expect(statistics.every((key) => /running_(mean|var)$/.test(key))).toBe(true);
  });

  it('has the sizes that are asked for', () => {
    const small = { ...MASK, ...ALL, ...SMALL, anchors: 5, boxSide: 9 };
    const shapes = new Map(declare(small).entries.map(({ key, shape }) => [key, shape]));
    expect(shapes.get('backbone.fpn_lateral5.weight')).toEqual([64, 2048, 1, 1]);
    expect(shapes.get('roi_heads.box_head.conv1.weight')).toEqual([32, 64, 3, 3]);
    expect(shapes.get('roi_heads.box_head.fc1.weight')).toEqual([256, 32 * 81]);
    expect(shapes.get('proposal_generator.rpn_head.anchor_deltas.weight')).toEqual([20, 64, 1, 1]);
    expect(shapes.get('roi_heads.box_predictor.cls_score.weight')).toEqual([6, 256]);
    expect(shapes.get('roi_heads.box_predictor.bbox_pred.weight')).toEqual([20, 256]);
    expect(shapes.get('roi_heads.mask_head.deconv.weight')).toEqual([32, 32, 2, 2]);
    expect(shapes.get('roi_heads.mask_head.predictor.weight')).toEqual([5, 32, 1, 1]);
  });
});
