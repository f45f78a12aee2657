import { expect, it } from 'vitest';
import type { PathOf } from '../../src/config/define-schema.js';
import { accepts } from '../../src/config/leaf.js';
import { resolveConfig } from '../../src/config/load.js';
import { DETECT } from '../../src/config/schemas/detect.js';
import { PRETRAIN, type PretrainConfig } from '../../src/config/schemas/pretrain.js';
import type { PRETRAIN_FIELDS } from '../../src/config/schemas/pretrain-fields.js';

it('has defaults that it accepts itself', () => {
  for (const [path, leaf] of PRETRAIN.leaves) expect(accepts(leaf, leaf.default), path).toBe(true);
});

it.each([
  ['pretrain', PRETRAIN],
  ['detect', DETECT],
])('%s: the values of --debug and of presets are of its leaves', (_, { leaves, debug, presets, aliases }) => {
  const groups = [debug, ...Object.values(presets?.values ?? {})];
  for (const [path, value] of groups.flatMap((group) => Object.entries(group))) {
    const leaf = leaves.get(path);
    expect(leaf !== undefined && accepts(leaf, value), path).toBe(true);
  }
  for (const path of Object.values(aliases)) expect(leaves.has(path), path).toBe(true);
});

it('goes from nested to flat and back', () => {
  const { config } = resolveConfig(PRETRAIN, {});
  const flat = PRETRAIN.flatten(config);
  expect([...flat.keys()]).toEqual([...PRETRAIN.leaves.keys()]);
  expect(flat.get('network/scrl/min_size')).toBe(32);
  expect(PRETRAIN.build(flat)).toEqual(config);
});

it('gives the type of each value (checked by the compiler)', () => {
  const { config } = resolveConfig(PRETRAIN, {});
  const typed: [
    number,
    number | null,
    'resized' | 'gaussian' | 'none',
    readonly [number, number],
    string | null,
  ] = [
    config.train.optim.lr,
    config.network.proj_head.input_size,
    config.augment.blur,
    config.augment.crop_scale,
    config.dataset.root,
  ];
  expect(typed).toEqual([0.45, null, 'resized', [0.2, 1], null]);
  type ConfigPath = PathOf<typeof PRETRAIN_FIELDS>;
  const path: ConfigPath = 'eval/optim/nesterov';
  expect(PRETRAIN.leaves.has(path)).toBe(true);
  // @ts-expect-error no such path
  const wrongPath: ConfigPath = 'eval/optim/nesterof';
  // @ts-expect-error a configuration is not changed
  const assign = (c: PretrainConfig) => (c.seed = 1);
  expect([wrongPath, typeof assign]).toEqual(['eval/optim/nesterof', 'function']);
});
