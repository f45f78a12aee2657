import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';
import { folderWith, userErrorOf } from './files.js';

const resolveText = (text: string, overrides: Record<string, unknown> = {}) =>
  resolveConfig(PRETRAIN, { file: join(folderWith({ 'c.yaml': text }), 'c.yaml'), overrides });

function errorOf(text: string, overrides: Record<string, unknown> = {}): string {
  const folder = folderWith({ 'c.yaml': text });
  return userErrorOf(() => resolveConfig(PRETRAIN, { file: join(folder, 'c.yaml'), overrides }), folder);
}

describe('precedence and origins', () => {
  it('is all defaults without sources', () => {
    const { config, origins, configName } = resolveConfig(PRETRAIN, {});
    expect(configName).toBe('default');
    expect(config.train.optim.lr).toBe(0.45);
    expect([...origins.keys()]).toEqual([...PRETRAIN.leaves.keys()]);
    expect(new Set(origins.values())).toEqual(new Set(['default']));
  });

  it('is command line, file, base, default, leaf by leaf', () => {
    const folder = folderWith({
      'base.yaml': 'seed: 1\ntrain:\n  max_epochs: 50\n  m: 0.9\n  optim: {lr: 1.0, momentum: 0.5}\n',
      'my.recipe.yml': '_base_: base.yaml\ntrain:\n  max_epochs: 60\n  optim:\n    lr: 2.0\n',
    });
    const file = join(folder, 'my.recipe.yml');
    const { config, origins, configName } = resolveConfig(PRETRAIN, {
      file,
      overrides: { 'train/optim/lr': '3' },
    });
    expect(configName).toBe('my.recipe');
    const { optim, max_epochs, m, warmup_epochs } = config.train;
    expect([optim.lr, max_epochs, optim.momentum, m, warmup_epochs]).toEqual([3, 60, 0.5, 0.9, 10]);
    const keys = [
      'train/optim/lr',
      'train/max_epochs',
      'train/optim/momentum',
      'train/m',
      'train/warmup_epochs',
    ];
    expect(keys.map((key) => origins.get(key)?.replace(`${folder}/`, ''))).toEqual([
      'command line --train/optim/lr',
      'my.recipe.yml:3',
      'base.yaml:5',
      'base.yaml:4',
      'default',
    ]);
  });

  it('lets a file set null over the value of its base, and ignores empty sections', () => {
    const folder = folderWith({
      'base.yaml': 'load_dir: x\nnetwork: {proj_head: {input_size: 2048}}\n',
      'c.yaml': '_base_: base.yaml\nload_dir: null\nnetwork:\n  proj_head:\n    # input_size: 3\n',
    });
    const { config } = resolveConfig(PRETRAIN, { file: join(folder, 'c.yaml') });
    expect(config.load_dir).toBeNull();
    expect(config.network.proj_head.input_size).toBe(2048);
  });

  it('merges with <<, and knows the lines of merged values', () => {
    const { config, origins } = resolveText(
      'train:\n  optim: &sgd\n    lr: 0.3\n    momentum: 0.8\neval:\n  optim:\n    <<: *sgd\n    lr: 0.1\n',
    );
    expect(config.eval.optim).toEqual({ lr: 0.1, momentum: 0.8, weight_decay: 0, nesterov: true });
    expect(origins.get('eval/optim/lr')).toMatch(/c\.yaml:8$/);
    expect(origins.get('eval/optim/momentum')).toMatch(/c\.yaml:4$/);
  });

  it.each(['1e-6', '1.0e-6', '0.000001', '1E-6'])('reads %s as a number', (text) => {
    expect(resolveText(`train: {optim: {weight_decay: ${text}}}`).config.train.optim.weight_decay).toBe(1e-6);
  });
});

describe('mistakes', () => {
  it('are reported all at once, with place, key, value and what is allowed', () => {
    const folder = folderWith({
      'base.yaml': 'train:\n  optm: {lr: 1}\n',
      'c.yaml': [
        '_base_: base.yaml',
        'seed: "0"',
        'network:',
        '  name: resnet5',
        '  scrl: {enabled: yes, iou_threshold: 0}',
        'augment:',
        '  crop_scale: 0.2',
        'train:',
        '  max_epochs: 2.5',
        '  optim:',
        '    lr: "0.1"',
        '    dampening: 0.1',
        'eval: 3',
        'seed: 1',
      ].join('\n'),
    });
    const overrides = { 'train/m': 'x', 'train/mm': 1 };
    expect(
      userErrorOf(() => resolveConfig(PRETRAIN, { file: join(folder, 'c.yaml'), overrides }), folder),
    ).toBe(`12 problems in the configuration
  base.yaml:2: train/optm: is not a known key
    did you mean train/optim? train takes enabled, online_eval, batch_size_train, batch_size_eval, max_epochs, warmup_epochs, valid_interval, knn_interval, knn_bank, snapshot_interval, tb_interval, num_workers, m, drop_last, save_minutes, save_steps, optim
  c.yaml:14: seed: is given twice in one mapping, first in line 2
    keep one of them
  c.yaml:4: network/name: must be one of resnet18, resnet34, resnet50, resnet101 (found "resnet5")
    did you mean resnet50?
  c.yaml:5: network/scrl/enabled: must be true or false (found "yes")
    YAML 1.2 writes it true or false, without quotes
  c.yaml:5: network/scrl/iou_threshold: must be a number above 0 and at most 1 (found 0)
  c.yaml:7: augment/crop_scale: must be two numbers [low, high], each above 0 and at most 1 (found 0.2)
    write it as [0.2, 1.0]
  c.yaml:9: train/max_epochs: must be an integer of at least 1 (found 2.5)
  c.yaml:11: train/optim/lr: must be a number above 0 (found "0.1")
    write the number without quotes
  c.yaml:12: train/optim/dampening: is not a known key
    train/optim takes lr, momentum, weight_decay, nesterov, reference_quirks, trust_coefficient
  c.yaml:13: eval: is a section with the keys enabled, finetune, max_epochs, warmup_epochs, valid_interval, batch_size_train, batch_size_eval, num_workers, optim (found 3)
  command line --train/m: train/m: must be a number of at least 0 and at most 1 (found "x")
  command line: --train/mm: is not a known setting
    did you mean --train/m?`);
  });

  it('in a file are reported even when the command line overrides the value', () => {
    expect(errorOf('seed: -1\n', { seed: 2 })).toBe(
      'c.yaml:1: seed: must be an integer of at least 0 (found -1)',
    );
  });

  it.each([
    [
      'train/optim/lr: 1\n',
      'c.yaml:1: train/optim/lr: is not a known key\n  write it nested: train: { optim: { lr: ... } }',
    ],
    ['lr: 1\n', 'did you mean train/optim/lr?'],
    ['__proto__: 1\n', 'c.yaml:1: __proto__: is not a known key'],
    ['constructor: {a: 1}\n', 'c.yaml:1: constructor: is not a known key'],
    ['train: [1]\n', 'c.yaml:1: train: is a section with the keys enabled'],
    ['seed: {a: 1}\n', 'c.yaml:1: seed: must be an integer of at least 0 (found "a mapping")'],
    ['seed: &a [*a]\n', 'c.yaml:1: seed: must be an integer of at least 0 (found "a list")'],
    ['seed: .nan\n', 'found "NaN"'],
    ['seed:\n', 'c.yaml:1: seed: must be an integer of at least 0 (found null)'],
    [
      'save_dir: 2024\n',
      'c.yaml:1: save_dir: must be a text that is not empty, or null (found 2024)\n  put it in quotes',
    ],
    ['augment: {crop_scale: ["0.2", 1]}\n', '(found ["0.2",1])'],
    ['train: {_base_: x.yaml}\n', 'c.yaml:1: train/_base_: is not a known key'],
  ])('%j', (text, message) => {
    expect(errorOf(text)).toContain(message);
  });
});
