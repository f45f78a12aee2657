/** The configuration of detectors: fields, rules, protocols, and the files in `configs/detection/`. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accepts } from '../../src/config/leaf.js';
import { resolveConfig } from '../../src/config/load.js';
import { renderConfig } from '../../src/config/print.js';
import { DETECT, type DetectConfig } from '../../src/config/schemas/detect.js';
import { folderWith, userErrorOf } from './files.js';

const CONFIGS = join(import.meta.dirname, '../../configs/detection');
const resolve = (overrides: Record<string, unknown> = {}) => resolveConfig(DETECT, { overrides });
const errorOf = (overrides: Record<string, unknown>): string => userErrorOf(() => resolve(overrides));
const recipe = (name: string, overrides: Record<string, unknown> = {}) =>
  resolveConfig(DETECT, { file: join(CONFIGS, `${name}.yaml`), overrides });

describe('fields', () => {
  it('have defaults that they accept themselves, and a description of one line', () => {
    for (const [path, leaf] of DETECT.leaves) {
      expect(accepts(leaf, leaf.default), path).toBe(true);
      expect(leaf.description, path).toMatch(/^\S[^\n]{3,110}$/);
    }
  });

  it("have Detectron2's defaults", () => {
    const { model, train, input } = resolve().config;
    expect([model.backbone, model.freeze_at, model.norm.backbone, model.norm.fpn]).toEqual([
      'resnet50',
      2,
      'frozen',
      'none',
    ]);
    const { lr, max_steps, steps_at, gamma, warmup_steps, warmup_factor, batch_size } = train;
    expect([lr, max_steps, steps_at, gamma, warmup_steps, warmup_factor, batch_size]).toEqual([
      0.02,
      90_000,
      [60_000, 80_000],
      0.1,
      1000,
      0.001,
      16,
    ]);
    expect(input.min_size_train).toEqual([640, 672, 704, 736, 768, 800]);
    expect([model.rpn.anchor_sizes, model.rpn.aspect_ratios]).toEqual([
      [32, 64, 128, 256, 512],
      [0.5, 1, 2],
    ]);
  });

  it('take lists from files and from the command line, in three forms', () => {
    const file = join(folderWith({ 'c.yaml': 'train: { steps_at: [10, 20] }\n' }), 'c.yaml');
    expect(resolveConfig(DETECT, { file }).config.train.steps_at).toEqual([10, 20]);
    for (const value of ['10,20', '[10, 20]', [10, 20]]) {
      expect(resolve({ 'train/steps_at': value }).config.train.steps_at).toEqual([10, 20]);
    }
    expect(resolve({ 'train/steps_at': '7' }).config.train.steps_at).toEqual([7]);
    expect(resolve({ 'train/steps_at': '[]' }).config.train.steps_at).toEqual([]);
    expect(resolve({ 'model/rpn/aspect_ratios': '1' }).config.model.rpn.aspect_ratios).toEqual([1]);
  });

  it.each([
    [
      'train/steps_at',
      '1.5,2',
      'must be a list of integers, each of at least 1 (found "1.5,2")\n  write it as 1,2,3',
    ],
    ['train/steps_at', '', 'must be a list of integers, each of at least 1 (found "")\n  give it a value'],
    [
      'model/rpn/aspect_ratios',
      '0,1',
      'must be a list of numbers, each above 0 (found "0,1")\n  write it as 0.2,1.0',
    ],
    ['model/freeze_at', '6', 'must be an integer of at least 0 and at most 5'],
  ])('--%s %j is an error', (flag, value, message) => {
    expect(errorOf({ [flag]: value })).toContain(message);
  });

  it('are printed so that they load again', () => {
    const resolved = resolve({ protocol: 'r2', 'train/steps_at': '[]', 'model/rpn/aspect_ratios': '0.25,1' });
    const file = join(folderWith({ 'config.yaml': renderConfig(resolved) }), 'config.yaml');
    const again = resolveConfig(DETECT, { file });
    expect([again.config, again.remarks]).toEqual([resolved.config, []]);
  });
});

describe('rules between fields', () => {
  it.each([
    [{ 'train/steps_at': '20,10' }, 'train/steps_at: must ascend, to below train/max_steps: 20, 10 of 90000'],
    [{ 'train/steps_at': '10,10' }, 'train/steps_at: must ascend'],
    [
      { 'train/steps_at': '3,5', 'train/batch_size': 64 },
      'must ascend, to below train/max_steps: 1, 1 of 22500',
    ],
    [{ 'train/steps_at': '1', 'train/batch_size': 64 }, 'must ascend, to below train/max_steps: 0 of 22500'],
    [{ 'input/min_size_train': '[]' }, 'input/min_size_train: must name one size at least'],
    [{ 'model/rpn/anchor_sizes': '32,64' }, 'model/rpn/anchor_sizes: must be 5 sizes, for p2 to p6, not 2'],
    [{ 'model/rpn/aspect_ratios': '[]' }, 'model/rpn/aspect_ratios: must name one ratio at least'],
    [
      { 'model/rpn/iou_thresholds': '0.7,0.3' },
      'model/rpn/iou_thresholds: must be [low, high], not [0.7, 0.3]',
    ],
  ])('%j', (overrides, message) => {
    expect(errorOf(overrides)).toContain(message);
  });

  it.each([
    { 'train/steps_at': '1', 'train/batch_size': 64, 'train/auto_scale': 'no' },
    { 'train/steps_at': '1,2', 'train/batch_size': 2 },
    { 'train/steps_at': '[]' },
  ])('%j is fine', (overrides) => {
    expect(resolve(overrides).remarks).toEqual([]);
  });
});

describe('what is mended or said instead', () => {
  it.each([
    [
      { 'train/max_steps': 500 },
      { warmup_steps: 50, steps_at: [] },
      [
        'train/warmup_steps: 1000 steps do not fit into train/max_steps 500: shortened to 50',
        'train/steps_at: 60000, 80000 are not below train/max_steps 500: the rate does not fall',
      ],
    ],
    [
      { 'train/max_steps': 70_000 },
      { warmup_steps: 1000, steps_at: [60_000] },
      ['train/steps_at: 80000 is not below train/max_steps 70000: left are 60000'],
    ],
    [{ 'train/max_steps': 1 }, { warmup_steps: 0, steps_at: [] }, [expect.any(String), expect.any(String)]],
  ])('%j', (overrides, expected, remarks) => {
    const resolved = resolve(overrides);
    expect(resolved.config.train).toMatchObject(expected);
    expect(resolved.remarks).toEqual(remarks);
  });

  it('what is known to go badly together', () => {
    const msra = { 'model/weights_style': 'msra' };
    expect(resolve(msra).remarks).toEqual([]);
    expect(resolve({ ...msra, 'model/norm/backbone': 'batch' }).remarks).toEqual([
      expect.stringMatching(/^model\/weights_style: worse detectors are reported/),
    ]);
    expect(resolve({ 'model/norm/box_head': 'batch' }).remarks).toEqual([
      expect.stringMatching(/^model\/norm\/box_head: has no effect/),
    ]);
  });

  it('--debug beats the command line', () => {
    const overrides = { 'train/max_steps': 1000, 'train/lr': 1 };
    const { config, origins, remarks } = resolveConfig(DETECT, { overrides, debug: true });
    const { max_steps, steps_at, warmup_steps, auto_scale, lr } = config.train;
    expect([max_steps, steps_at, warmup_steps, auto_scale, lr]).toEqual([4, [3], 1, false, 1]);
    expect(origins.get('train/steps_at')).toBe('command line --debug');
    expect(remarks).toEqual([]);
  });
});

describe('protocols', () => {
  const summary = ({ model, train }: DetectConfig) => {
    const { backbone, fpn, box_head, mask_head } = model.norm;
    const norms = [backbone, fpn, box_head, mask_head];
    return [model.weights_style, model.freeze_at, model.box_head, norms.join(' '), train.precise_bn.enabled];
  };
  it.each([
    ['default', ['torch', 2, 'fc2', 'frozen none none none', false]],
    ['r1', ['torch', 0, 'fc2', 'batch batch none none', true]],
    ['r2', ['torch', 0, '4conv1fc', 'batch batch batch batch', true]],
    ['r3', ['torch', 0, 'fc2', 'batch batch none batch', true]],
  ])('%s', (protocol, expected) => {
    const { config, remarks } = resolve({ protocol });
    expect([summary(config), remarks]).toEqual([expected, []]);
  });

  it('say where a value is from, and what departs from them', () => {
    const { config, origins, remarks } = resolve({ protocol: 'r1', 'model/freeze_at': 2 });
    expect([config.model.freeze_at, origins.get('model/norm/fpn')]).toEqual([2, 'protocol r1']);
    expect(remarks).toEqual([
      'protocol: r1 has model/freeze_at 0, but command line --model/freeze_at says 2',
    ]);
  });

  it('may be chosen for a recipe from the command line', () => {
    const { config, remarks } = recipe('mask_rcnn_R_50_FPN_1x', { protocol: 'r2' });
    expect(config).toEqual(recipe('mask_rcnn_R_50_FPN_1x_r2').config);
    expect(remarks).toEqual([]);
  });
});

describe('recipes', () => {
  const names = readdirSync(CONFIGS)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.replace('.yaml', ''));

  it('are those of Detectron2 and the protocols, and two small ones', () => {
    expect(names.sort()).toEqual([
      'faster_rcnn_R_101_FPN_1x',
      'faster_rcnn_R_50_FPN_1x',
      'faster_rcnn_R_50_FPN_1x_r1',
      'faster_rcnn_R_50_FPN_1x_r2',
      'mask_rcnn_R_101_FPN_1x',
      'mask_rcnn_R_50_FPN_1x',
      'mask_rcnn_R_50_FPN_1x_r1',
      'mask_rcnn_R_50_FPN_1x_r2',
      'one_machine',
      'quickstart',
    ]);
  });

  it.each(names)('%s loads without a remark, and opens with its command and whether we ran it', (name) => {
    const { config, remarks } = recipe(name);
    expect(remarks).toEqual([]);
    const [, model, depth] = /^(faster|mask)_rcnn_R_(\d+)/.exec(name) ?? [];
    if (depth !== undefined) {
      expect([config.model.backbone, config.model.masks]).toEqual([`resnet${depth}`, model === 'mask']);
      expect(config.protocol).toBe(/_(r\d)$/.exec(name)?.[1] ?? 'default');
      const { train } = config;
      expect([train.batch_size, train.max_steps, train.lr]).toEqual([16, 90_000, 0.02]);
    }
    const head = readFileSync(join(CONFIGS, `${name}.yaml`), 'utf8').split(/\n(?!#)/)[0];
    expect(head).toContain(
      `npx scrl detect train --config configs/detection/${name}.yaml --weights BACKBONE`,
    );
    expect(head).toMatch(/[Rr]un by us/);
  });

  it('are the defaults where they say nothing else', () => {
    expect(recipe('faster_rcnn_R_50_FPN_1x').config).toEqual(resolve().config);
  });
});
