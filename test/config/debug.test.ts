import { expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';

it('shrinks the schedule, beats the command line, and leaves the rest alone', () => {
  const overrides = { 'train/max_epochs': 300, 'train/m': 0.5 };
  const { config, origins, configName } = resolveConfig(PRETRAIN, { overrides, debug: true });
  const { train } = config;
  expect([
    train.max_epochs,
    train.warmup_epochs,
    train.valid_interval,
    train.snapshot_interval,
    train.num_workers,
  ]).toEqual([2, 1, 1, 1, 4]);
  const { max_epochs, warmup_epochs, valid_interval, num_workers } = config.eval;
  expect([max_epochs, warmup_epochs, valid_interval, num_workers]).toEqual([2, 1, 1, 4]);
  expect([train.m, train.batch_size_train, configName]).toEqual([0.5, 256, 'default']);
  expect(origins.get('train/max_epochs')).toBe('command line --debug');
  expect(origins.get('train/m')).toBe('command line --train/m');
});
