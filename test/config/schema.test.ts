import { expect, it } from 'vitest';
import { accepts } from '../../src/config/leaf.js';
import { resolveConfig } from '../../src/config/load.js';
import { buildConfig, type Config, type ConfigPath, flattenConfig, LEAVES } from '../../src/config/schema.js';

it('has defaults that it accepts itself', () => {
  for (const [path, leaf] of LEAVES) expect(accepts(leaf, leaf.default), path).toBe(true);
});

it('goes from nested to flat and back', () => {
  const { config } = resolveConfig({});
  const flat = flattenConfig(config);
  expect([...flat.keys()]).toEqual([...LEAVES.keys()]);
  expect(flat.get('network/scrl/min_size')).toBe(32);
  expect(buildConfig(flat)).toEqual(config);
});

it('gives the type of each value (checked by the compiler)', () => {
  const { config } = resolveConfig({});
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
  const path: ConfigPath = 'eval/optim/nesterov';
  expect(LEAVES.has(path)).toBe(true);
  // @ts-expect-error no such path
  const wrongPath: ConfigPath = 'eval/optim/nesterof';
  // @ts-expect-error a configuration is not changed
  const assign = (c: Config) => (c.seed = 1);
  expect([wrongPath, typeof assign]).toEqual(['eval/optim/nesterof', 'function']);
});
