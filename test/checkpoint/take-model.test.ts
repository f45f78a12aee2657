/** Every toolkit's way to store a ResNet is understood, and what does not fit is said. */

import { describe, expect, it } from 'vitest';
import { chooseBackbone } from '../../src/checkpoint/choose-backbone.js';
import { findBackbones, placeOf, tensorGroups } from '../../src/checkpoint/find-backbones.js';
import { detectorKey } from '../../src/checkpoint/names/detector.js';
import type { OpenedWeights } from '../../src/checkpoint/open-weights.js';
import type { StateDict } from '../../src/checkpoint/state-dict.js';
import { requireWhole, type TakeOptions, takeModel } from '../../src/checkpoint/take-model.js';
import { arrange } from '../../src/checkpoint/targets.js';
import { loadTensor, type TensorSource } from '../../src/core/array.js';
import { type FileDict, type FileValue, PyOpaque } from '../../src/formats/value.js';
import { resnet, tensorOf, torchvisionDetector } from './networks.js';

const opened = (value: FileDict): OpenedWeights => ({
  path: 'file.pth',
  format: 'PyTorch',
  value,
  metadata: new Map(),
  unsupported: new Map(),
});
const dictOf = (entries: Record<string, FileValue>): FileDict => new Map(Object.entries(entries));
const merged = (...dicts: StateDict[]): StateDict => new Map(dicts.flatMap((dict) => [...dict]));
const extra = (...names: string[]): StateDict => new Map(names.map((name) => [name, tensorOf(name, [3])]));

function take(value: FileDict, options: TakeOptions & Parameters<typeof chooseBackbone>[1] = {}) {
  const { groups, chosen, all } = chooseBackbone(opened(value), options);
  return { chosen, ...takeModel(groups, chosen, all, options) };
}

describe('a backbone is found and renamed', () => {
  const both = (prefix: string) =>
    merged(
      resnet('resnet50', 'torchvision', `module.${prefix}_q.`),
      resnet('resnet50', 'torchvision', `module.${prefix}_k.`),
    );

  it.each<[string, FileDict, string, string]>([
    ['torchvision', resnet('resnet50'), '', 'bare network'],
    [
      'DDP',
      dictOf({ state_dict: resnet('resnet18', 'torchvision', 'module.') }),
      'state_dict/module.',
      'bare network',
    ],
    [
      'the reference and our own',
      dictOf({
        tag: 'x',
        online_network_state_dict: merged(
          resnet('resnet50', 'sequential', 'encoder.'),
          extra('projector.net.0.weight'),
        ),
        target_network_state_dict: resnet('resnet50', 'sequential', 'encoder.'),
        predictor_state_dict: extra('net.0.weight'),
        optimizer_state_dict: dictOf({ state: dictOf({ 0: extra('momentum_buffer') }) }),
      }),
      'online_network_state_dict/encoder.',
      'SCRL / BYOL checkpoint',
    ],
    [
      'MoCo',
      dictOf({ epoch: 200, state_dict: merged(both('encoder'), extra('module.queue', 'module.queue_ptr')) }),
      'state_dict/module.encoder_q.',
      'MoCo',
    ],
    [
      'SimSiam',
      dictOf({
        state_dict: merged(
          resnet('resnet50', 'torchvision', 'module.encoder.'),
          extra('module.predictor.0.weight'),
        ),
      }),
      'state_dict/module.encoder.',
      'SimSiam or PixPro',
    ],
    [
      'DINO',
      dictOf({
        student: merged(
          resnet('resnet50', 'torchvision', 'module.backbone.'),
          extra('module.head.mlp.0.weight'),
        ),
        teacher: merged(resnet('resnet50', 'torchvision', 'backbone.'), extra('head.mlp.0.weight')),
      }),
      'student/module.backbone.',
      'DINO',
    ],
    [
      'VISSL',
      dictOf({
        classy_state_dict: dictOf({
          base_model: dictOf({
            model: dictOf({ trunk: resnet('resnet50', 'torchvision', '_feature_blocks.') }),
          }),
        }),
      }),
      'classy_state_dict/base_model/model/trunk/_feature_blocks.',
      'VISSL',
    ],
    [
      'Detectron2, bare',
      dictOf({ model: resnet('resnet50', 'detectron2'), __author__: 'x' }),
      'model/',
      'bare network',
    ],
    [
      'Lightly',
      dictOf({ state_dict: resnet('resnet34', 'sequential', 'backbone.') }),
      'state_dict/backbone.',
      'backbone of a larger model (mmdetection, mmselfsup, solo-learn, Lightly)',
    ],
    ['Transformers', resnet('resnet50', 'transformers', 'resnet.'), 'resnet.', 'Transformers'],
  ])('%s', async (_name, value, place, family) => {
    const { chosen, model, account } = take(value);
    expect(placeOf(chosen)).toBe(place);
    expect(chosen.family).toBe(family);
    expect(account).toMatchObject({ leftover: [], missing: [], wrong: [] });
    expect([...model.backbone.keys()]).toEqual([...resnet(model.network).keys()]);
    // Elements follow from torchvision's names: the right tensor is under the right name.
    const key = model.network === 'resnet50' ? 'layer3.2.conv3.weight' : 'layer3.1.conv2.weight';
    const source = model.backbone.get(key);
    if (source === undefined) throw new Error('missing');
    const expected = await loadTensor(tensorOf(key, source.shape));
    expect(
      Buffer.from((await loadTensor(source)).data.buffer).equals(Buffer.from(expected.data.buffer)),
    ).toBe(true);
  });

  it.each(['resnet18', 'resnet34', 'resnet50', 'resnet101'] as const)(
    'tells %s from the others',
    (network) => {
      expect(findBackbones(tensorGroups(resnet(network)))).toMatchObject([{ network, prefix: '' }]);
    },
  );

  it('takes the target network when asked', () => {
    const value = dictOf({ state_dict: both('encoder') });
    expect(placeOf(take(value, { role: 'target' }).chosen)).toBe('state_dict/module.encoder_k.');
    expect(() => take(dictOf({ model: resnet('resnet18') }), { role: 'target' })).toThrow(
      /holds no such network[\s\S]*model\/ {2}resnet18/,
    );
  });

  it('asks when there are two of the same role', () => {
    const value = merged(resnet('resnet18', 'torchvision', 'a.'), resnet('resnet18', 'torchvision', 'b.'));
    expect(() => take(value)).toThrow(/several networks\n {4}a\. .*\n {4}b\. [\s\S]*--prefix/);
    expect(placeOf(take(value, { place: 'b.' }).chosen)).toBe('b.');
  });

  it('keeps a classifier, but no projection of the same name', () => {
    const fc: StateDict = new Map([
      ['fc.weight', tensorOf('fc.weight', [10, 512])],
      ['fc.bias', tensorOf('fc.bias', [10])],
    ]);
    expect(take(merged(resnet('resnet18'), fc)).model.backbone.has('fc.weight')).toBe(true);
    const query = new Map(
      [...merged(resnet('resnet18'), fc)].map(([key, tensor]) => [`module.encoder_q.${key}`, tensor]),
    );
    const { model, account } = take(dictOf({ state_dict: query }));
    expect(model.backbone.has('fc.weight')).toBe(false);
    expect(account.dropped.map(({ reason }) => reason)).toEqual(Array(2).fill('projection of the method'));
  });
});

describe('files as people have them', () => {
  it('an MLP under the name of the classifier is a projection', () => {
    const query = (state: StateDict) =>
      new Map([...state].map(([key, tensor]) => [`module.encoder_q.${key}`, tensor]));
    const value = dictOf({
      state_dict: query(merged(resnet('resnet18'), extra('fc.0.weight', 'fc.0.bias', 'fc.2.weight'))),
    });
    const { account } = take(value);
    requireWhole(account, 'f');
    expect(account.dropped.map(({ reason }) => reason)).toEqual(Array(3).fill('projection of the method'));
    const bare = merged(resnet('resnet18'), extra('fc.0.weight'));
    expect(() => requireWhole(take(bare).account, 'f')).toThrow(/left over \(1\)/);
  });

  it('blocks that were compiled one by one', () => {
    const compiled = [...resnet('resnet18')].map(([key, tensor]): [string, TensorSource] => [
      key.replace(/^(layer\d\.\d)\./, '$1._orig_mod.'),
      tensor,
    ]);
    requireWhole(take(dictOf({ model: new Map(compiled) })).account, 'f');
  });

  it('counters that NumPy made lists of one of', async () => {
    const lists = [...resnet('resnet18')].map(([key, tensor]): [string, TensorSource] => [
      key,
      key.endsWith('num_batches_tracked') ? { ...tensor, shape: [1] } : tensor,
    ]);
    const { model, account } = take(new Map(lists));
    requireWhole(account, 'f');
    const counter = model.backbone.get('bn1.num_batches_tracked');
    expect(counter?.shape).toEqual([]);
    expect(counter && (await loadTensor(counter)).shape).toEqual([]);
  });

  it('one network under two names', () => {
    const online = resnet('resnet18');
    const named = (prefix: string) => new Map([...online].map(([key, tensor]) => [prefix + key, tensor]));
    const value = dictOf({
      state_dict: merged(
        named('encoder_q.0.'),
        resnet('resnet18', 'torchvision', 'encoder_k.0.'),
        named('backbone.'),
      ),
    });
    const { chosen, account } = take(value);
    expect(placeOf(chosen)).toBe('state_dict/encoder_q.0.');
    requireWhole(account, 'f');
    expect(placeOf(take(value, { place: 'state_dict/backbone.' }).chosen)).toBe('state_dict/backbone.');
  });
});

describe('what does not fit is said', () => {
  const without = (name: string) => new Map([...resnet('resnet18')].filter(([key]) => key !== name));

  it('a missing layer, with the name that may have been meant', () => {
    const value = merged(
      without('layer2.0.conv1.weight'),
      new Map([['layer2.0.conv_1.weight', tensorOf('x', [1])]]),
    );
    const { account } = take(value);
    expect(() => requireWhole(account, 'file.pth')).toThrow(
      /file\.pth: [\s\S]*missing \(1\):\n {4}layer2\.0\.conv1\.weight \(nearest: layer2\.0\.conv_1\.weight\)[\s\S]*left over \(1\)/,
    );
    requireWhole(account, 'file.pth', ['layer2.0.conv1.weight', 'layer2.0.conv_1.*']);
  });

  it('a wrong shape, as in wider networks', () => {
    const wide = new Map<string, TensorSource>([
      ...resnet('resnet50'),
      ['layer1.0.conv1.weight', tensorOf('x', [128, 64, 1, 1])],
    ]);
    expect(() => requireWhole(take(wide).account, 'f')).toThrow(
      /layer1\.0\.conv1\.weight: expected \[64, 64, 1, 1\], found \[128, 64, 1, 1\]/,
    );
  });

  it('tensors that nobody knows, unless they are dropped by name', () => {
    const value = merged(resnet('resnet18'), extra('mystery.weight'));
    expect(() => requireWhole(take(value).account, 'f')).toThrow(/left over \(1\):\n {4}mystery\.weight/);
    requireWhole(take(value, { drop: ['mystery.*'] }).account, 'f');
  });

  it('tensors of kinds that are not read', () => {
    const value: FileDict = new Map<string, FileValue>([
      ...resnet('resnet18', 'torchvision', 'module.'),
      ['module.layer1.0.scale', new PyOpaque('torch.Tensor of torch.float8_e4m3fn')],
    ]);
    expect(take(value).account.leftover).toEqual(['module.layer1.0.scale']);
  });

  it.each([
    ['nothing', dictOf({ epoch: 3 }), /holds no tensors at all/],
    ['another network', extra('features.0.weight'), /no ResNet-18, 34, 50 or 101[\s\S]*features\.0\.weight/],
    ['a deep stem', extra('conv1.0.weight'), /ResNet-D/],
    ['Caffe2', extra('conv1_w', 'res_conv1_bn_s'), /Caffe2/],
  ])('%s', (_name, value, message) => {
    expect(() => take(value as FileDict)).toThrow(message);
  });
});

describe('detectors', () => {
  const rows = async (value: FileDict, name: string) => {
    const found = (value.get('model') instanceof Map ? (value.get('model') as FileDict) : value).get(name);
    const tensor = await loadTensor(found as TensorSource);
    return { shape: tensor.shape, data: tensor.data as Float32Array };
  };

  it("become Detectron2's, classes in its order, COCO's gaps closed", async () => {
    const source = torchvisionDetector(91);
    const { model, account } = take(source);
    requireWhole(account, 'f');
    expect(model.detector).toMatchObject({ spelling: 'torchvision', classes: 80 });
    const { value } = arrange(model, 'detectron2');
    expect(value.get('matching_heuristics')).toBe(false);
    const dict = value.get('model') as FileDict;
    expect(dict.has('backbone.bottom_up.res2.0.conv1.weight')).toBe(true);
    expect(dict.has('backbone.fpn_lateral5.bias')).toBe(true);
    const before = await rows(source, 'roi_heads.box_predictor.cls_score.bias');
    const after = await rows(value, 'roi_heads.box_predictor.cls_score.bias');
    expect(after.shape).toEqual([81]);
    // COCO's twelfth category has id 13, its last id 90; the background comes last.
    expect(after.data[0]).toBe(before.data[1]);
    expect(after.data[11]).toBe(before.data[13]);
    expect(after.data[79]).toBe(before.data[90]);
    expect(after.data[80]).toBe(before.data[0]);
    const boxes = await rows(value, 'roi_heads.box_predictor.bbox_pred.bias');
    const boxesBefore = await rows(source, 'roi_heads.box_predictor.bbox_pred.bias');
    expect(boxes.shape).toEqual([320]);
    expect([...boxes.data.slice(44, 48)]).toEqual([...boxesBefore.data.slice(52, 56)]);
    expect((await rows(value, 'roi_heads.mask_head.predictor.weight')).shape).toEqual([80, 256, 1, 1]);
  });

  it('come back as they were, but for what nobody reads', async () => {
    const source = torchvisionDetector(6);
    const there = arrange(take(source).model, 'detectron2').value;
    const { model, account } = take(there);
    requireWhole(account, 'f');
    const back = arrange(model, 'torchvision').value;
    expect([...back.keys()].sort()).toEqual([...source.keys()].sort());
    for (const name of ['cls_score', 'bbox_pred']) {
      const [a, b] = await Promise.all(
        [source, back].map((dict) => rows(dict, `roi_heads.box_predictor.${name}.weight`)),
      );
      const unread = name === 'cls_score' ? 0 : 4 * 1024;
      expect(b.data.length).toBe(a.data.length);
      expect(Buffer.from(b.data.slice(unread).buffer).equals(Buffer.from(a.data.slice(unread).buffer))).toBe(
        true,
      );
    }
  });

  it("are read with mmdetection's names, whose classes are counted as Detectron2's", async () => {
    const { model } = take(torchvisionDetector(6));
    const parts = model.detector?.parts ?? new Map();
    const theirs = new Map([
      ...resnet('resnet50', 'torchvision', 'backbone.'),
      ...[...parts].map(([key, tensor]) => [detectorKey('mmdetection', key), tensor] as const),
    ]);
    for (const name of [
      'neck.lateral_convs.0.conv.weight',
      'rpn_head.rpn_cls.bias',
      'roi_head.bbox_head.shared_fcs.1.weight',
      'roi_head.mask_head.convs.3.conv.bias',
    ]) {
      expect(theirs.has(name), name).toBe(true);
    }
    const again = take(dictOf({ meta: dictOf({}), state_dict: theirs }));
    requireWhole(again.account, 'f');
    expect(again.model.detector).toMatchObject({ spelling: 'mmdetection', classes: 5 });
    expect([...(again.model.detector?.parts.keys() ?? [])]).toEqual([...parts.keys()]);
    const [a, b] = [parts, again.model.detector?.parts].map((dict) =>
      rows(dict as FileDict, 'roi_heads.box_predictor.cls_score.bias'),
    );
    expect([...(await b).data]).toEqual([...(await a).data]);
  });

  it('give their backbone alone', () => {
    const { model, account } = take(torchvisionDetector(91), { backboneOnly: true });
    requireWhole(account, 'f');
    expect(model.detector).toBeUndefined();
    expect(account.dropped[0].reason).toBe('not the backbone');
  });

  it("are read with the names of torchvision's older files", () => {
    const old = [...torchvisionDetector(91)].map(
      ([key, tensor]) =>
        [
          key
            .replace(/_blocks\.(\d)\.0\./, '_blocks.$1.')
            .replace('head.conv.0.0', 'head.conv')
            .replace(/mask_head\.(\d)\.0/, (_, i) => `mask_head.mask_fcn${Number(i) + 1}`),
          tensor,
        ] as const,
    );
    requireWhole(take(new Map(old)).account, 'f');
  });

  it('lack nothing', () => {
    const value = torchvisionDetector(91);
    value.delete('rpn.head.conv.0.0.weight');
    expect(() => requireWhole(take(value).account, 'f')).toThrow(
      /missing \(1\):\n {4}rpn\.head\.conv\.0\.0\.weight/,
    );
  });
});
