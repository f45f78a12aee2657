import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';
import { folderWith, userErrorOf } from './files.js';

const errorOf = (overrides: Record<string, unknown>): string =>
  userErrorOf(() => resolveConfig(PRETRAIN, { overrides }));

describe('rules between fields', () => {
  it.each([
    [{ 'eval/optim/momentum': 0 }, 'eval/optim/nesterov: needs a momentum above 0'],
    [
      { 'train/optim/momentum': 0, 'train/optim/nesterov': true },
      'train/optim/nesterov: needs a momentum above 0',
    ],
    [
      { 'network/name': 'resnet18', 'network/proj_head/input_size': 2048 },
      'network/proj_head/input_size: must be 512, the channels of resnet18, not 2048',
    ],
    [{ 'network/proj_head/input_size': 512 }, 'must be 2048, the channels of resnet50, not 512'],
    [
      { 'network/scrl/pool_size': 7 },
      'network/scrl/pool_size: must be 1, not 7: the projector takes one vector',
    ],
    [{ 'augment/input_size': 32 }, 'network/scrl/min_size: must be less than augment/input_size'],
    [{ 'augment/crop_scale': [1, 0.2] }, 'augment/crop_scale: must be [low, high], not [1, 0.2]'],
    [{ 'augment/type': 'none' }, 'augment/type: cannot be none with SCRL'],
    [{ 'dataset/name': 'coco' }, 'dataset/annotations: must be set for dataset/name coco'],
    [
      { 'dataset/name': 'folder', 'dataset/annotations': 'a.json' },
      'dataset/annotations: is not used with dataset/name folder',
    ],
  ])('%j', (overrides, message) => {
    const text = errorOf(overrides);
    expect(text).toContain(message);
    expect(text.startsWith(`command line --${Object.keys(overrides).at(-1)}`) || text.includes(' and ')).toBe(
      true,
    );
  });

  it.each([
    { 'train/optim/momentum': 0 },
    { 'network/name': 'resnet18' },
    { 'network/name': 'resnet34', 'network/proj_head/input_size': 512 },
    { 'augment/input_size': 32, 'network/scrl/enabled': false },
    { 'augment/type': 'none', 'network/scrl/enabled': false },
    { 'augment/crop_scale': [1, 1] },
    { 'train/warmup_epochs': 0, 'train/max_epochs': 1 },
    { 'dataset/name': 'coco', 'dataset/annotations': 'a.json' },
    { 'dataset/annotations': 'a.json' },
  ])('%j is fine', (overrides) => {
    expect(() => resolveConfig(PRETRAIN, { overrides })).not.toThrow();
  });

  it('name the places of both fields', () => {
    const folder = folderWith({ 'c.yaml': 'network:\n  scrl: { min_size: 64 }\n' });
    const overrides = { 'augment/input_size': 64 };
    const file = join(folder, 'c.yaml');
    expect(userErrorOf(() => resolveConfig(PRETRAIN, { file, overrides }), folder)).toBe(
      'c.yaml:2 and command line --augment/input_size: network/scrl/min_size: must be less than augment/input_size: ' +
        'no view of 64 pixels has room for a box of 64\n  lower network/scrl/min_size or raise augment/input_size',
    );
  });

  it('are not checked on fields that are wrong by themselves', () => {
    expect(errorOf({ 'augment/input_size': 0 })).not.toContain('network/scrl/min_size');
  });
});

describe('a warm-up that does not fit', () => {
  it.each([
    [{ 'train/max_epochs': 3 }, 'train', 10, 3, 0.3],
    [{ 'train/max_epochs': 10 }, 'train', 10, 10, 1],
    [{ 'eval/warmup_epochs': 80 }, 'eval', 80, 80, 8],
    [{ 'eval/max_epochs': 1 }, 'eval', 5, 1, 0.1],
  ] as const)('%j is shortened, with a remark', (overrides, phase, warmup, all, shorter) => {
    const { config, origins, remarks } = resolveConfig(PRETRAIN, { overrides });
    expect(config[phase].warmup_epochs).toBe(shorter);
    expect(origins.get(`${phase}/warmup_epochs`)).toBe(`adjusted to ${phase}/max_epochs`);
    expect(remarks).toEqual([
      `${phase}/warmup_epochs: ${warmup} epochs do not fit into ${phase}/max_epochs ${all}: shortened to ${shorter}`,
    ]);
  });

  it('is left alone when a field is wrong by itself, and where it fits', () => {
    expect(errorOf({ 'train/max_epochs': 0 })).not.toContain('warmup_epochs');
    const { config, remarks } = resolveConfig(PRETRAIN, { overrides: { 'train/max_epochs': 11 } });
    expect([config.train.warmup_epochs, remarks]).toEqual([10, []]);
  });
});
