import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { folderWith, userErrorOf } from './files.js';

const errorOf = (overrides: Record<string, unknown>): string =>
  userErrorOf(() => resolveConfig({ overrides }));

describe('rules between fields', () => {
  it.each([
    [{ 'train/max_epochs': 10 }, 'train/warmup_epochs: must be less than train/max_epochs: 10 of 10 epochs'],
    [{ 'eval/warmup_epochs': 80 }, 'eval/warmup_epochs: must be less than eval/max_epochs: 80 of 80 epochs'],
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
    expect(() => resolveConfig({ overrides })).not.toThrow();
  });

  it('name the places of both fields', () => {
    const folder = folderWith({ 'c.yaml': 'train:\n  warmup_epochs: 7\n' });
    const overrides = { 'train/max_epochs': 5 };
    expect(userErrorOf(() => resolveConfig({ file: join(folder, 'c.yaml'), overrides }), folder)).toBe(
      'c.yaml:2 and command line --train/max_epochs: train/warmup_epochs: must be less than train/max_epochs: ' +
        '7 of 5 epochs\n  lower train/warmup_epochs or raise train/max_epochs',
    );
  });

  it('are not checked on fields that are wrong by themselves', () => {
    expect(errorOf({ 'train/max_epochs': 0 })).not.toContain('warmup_epochs');
  });
});
