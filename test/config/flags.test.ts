import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';
import { userErrorOf } from './files.js';

const withFlag = (flag: string, value: unknown) =>
  resolveConfig(PRETRAIN, { overrides: { [flag]: value } }).config;
const errorOf = (overrides: Record<string, unknown>): string =>
  userErrorOf(() => resolveConfig(PRETRAIN, { overrides }));

describe('values from the command line', () => {
  it.each(['yes', 'TRUE', 't', 'Y', '1', true])('%s is true', (value) => {
    expect(withFlag('eval/finetune', value).eval.finetune).toBe(true);
  });

  it.each(['no', 'False', 'F', 'n', '0', false])('%s is false', (value) => {
    expect(withFlag('train/enabled', value).train.enabled).toBe(false);
  });

  it('numbers, as text or typed', () => {
    for (const value of ['1e-3', '.001', '0.001', '+1.E-3', 0.001]) {
      expect(withFlag('train/optim/lr', value).train.optim.lr).toBe(0.001);
    }
    expect(withFlag('train/max_epochs', '300').train.max_epochs).toBe(300);
    expect(withFlag('network/scrl/sampling_ratio', '-1').network.scrl.sampling_ratio).toBe(-1);
  });

  it('pairs in three forms', () => {
    for (const value of ['0.3,0.9', '[0.3, 0.9]', [0.3, 0.9], ['0.3', '0.9']]) {
      expect(withFlag('augment/crop_scale', value).augment.crop_scale).toEqual([0.3, 0.9]);
    }
  });

  it('null where it is allowed, else the word', () => {
    for (const value of ['null', 'None', null]) {
      expect(withFlag('load_dir', value).load_dir).toBeNull();
      expect(withFlag('eval/valid_interval', value).eval.valid_interval).toBeNull();
    }
    expect(withFlag('top_dir', 'none').top_dir).toBe('none');
    expect(withFlag('save_dir', '2024').save_dir).toBe('2024');
    expect(withFlag('save_dir', 2024).save_dir).toBe('2024');
    expect(withFlag('seed', undefined).seed).toBe(0);
  });

  it.each([
    ['train/enabled', 'maybe', 'must be true or false (found "maybe")'],
    ['train/enabled', 2, 'must be true or false (found 2)'],
    ['train/enabled', '', 'must be true or false (found "")\n  give it a value'],
    ['train/max_epochs', '2.5', 'must be an integer of at least 1 (found "2.5")'],
    ['train/max_epochs', 'null', 'must be an integer of at least 1 (found "null")'],
    ['train/optim/lr', '0x10', 'must be a number above 0 (found "0x10")'],
    ['train/optim/lr', Number.NaN, 'must be a number above 0 (found "NaN")'],
    ['train/optim/lr', '1,5', 'must be a number above 0 (found "1,5")'],
    ['train/optim/lr', ['1', '2'], 'was given more than once (found ["1","2"])'],
    ['augment/crop_scale', '0.2', 'each above 0 and at most 1 (found "0.2")\n  write it as 0.2,1.0'],
    ['augment/crop_scale', ['0.2,1', '0.3,1'], 'was given more than once'],
    [
      'augment/blur',
      'gausian',
      'must be one of resized, gaussian, none (found "gausian")\n  did you mean gaussian?',
    ],
    ['dataset/root', '', 'must be a text that is not empty, or null (found "")\n  give it a value'],
  ])('--%s %j is an error', (flag, value, message) => {
    const text = errorOf({ [flag]: value });
    expect(text).toContain(`command line --${flag}: ${flag}: `);
    expect(text).toContain(message);
  });

  it('unknown settings are errors with a guess', () => {
    expect(errorOf({ 'train/lr': 1 })).toBe(
      'command line: --train/lr: is not a known setting\n  did you mean --train/optim/lr?',
    );
  });
});

describe('--data/root', () => {
  it('is --dataset/root', () => {
    const { config, origins } = resolveConfig(PRETRAIN, { overrides: { 'data/root': 'photos' } });
    expect(config.dataset.root).toBe('photos');
    expect(origins.get('dataset/root')).toBe('command line --data/root');
  });

  it('may be given beside it with the same value only', () => {
    expect(
      resolveConfig(PRETRAIN, { overrides: { 'dataset/root': 'a', 'data/root': 'a' } }).config.dataset.root,
    ).toBe('a');
    expect(errorOf({ 'dataset/root': 'a', 'data/root': 'b' })).toBe(
      'command line --data/root: dataset/root: is the same setting as --dataset/root, but the values differ ' +
        '(found ["a","b"])\n  give one of the two',
    );
  });
});
