import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { renderConfig } from '../../src/config/print.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';
import { RandomStream } from '../../src/core/rng.js';
import { folderWith } from './files.js';

function reload(text: string) {
  return resolveConfig(PRETRAIN, { file: join(folderWith({ 'config.yaml': text }), 'config.yaml') });
}

describe('renderConfig', () => {
  it('shows every value and where it came from', () => {
    const folder = folderWith({ 'c.yaml': 'train:\n  optim:\n    lr: 0.3\n' });
    const resolved = resolveConfig(PRETRAIN, {
      file: join(folder, 'c.yaml'),
      overrides: { 'dataset/root': 'my photos' },
    });
    const lines = renderConfig(resolved).replaceAll(`${folder}/`, '').split('\n');
    expect(lines[0]).toBe('# Resolved configuration of c; behind each value, where it came from.');
    expect(lines).toContain('  root: "my photos"            # command line --dataset/root');
    expect(lines).toContain('    lr: 0.3                    # c.yaml:3');
    expect(lines).toContain('    weight_decay: 0.000001     # default');
    expect(lines).toContain('  crop_scale: [0.2, 1]         # default');
    expect(lines.filter((line) => line.includes('  # '))).toHaveLength(PRETRAIN.leaves.size);
  });

  it('loads again with the same values', () => {
    const { config } = resolveConfig(PRETRAIN, {});
    const again = reload(renderConfig(resolveConfig(PRETRAIN, {})));
    expect(again.config).toEqual(config);
    expect([...again.origins.values()].every((origin) => /config\.yaml:\d+$/.test(origin))).toBe(true);
  });

  it.each([
    'null',
    'true',
    '1e3',
    '~',
    ' a ',
    '#x',
    'a: b',
    "it's",
    '"',
    '\\',
    'a\nb',
    '\t',
    'é日本',
    '\x7f\x85\u2028\ufeff',
    '\ud800',
  ])('keeps the text %j', (text) => {
    const resolved = resolveConfig(PRETRAIN, { overrides: { top_dir: text } });
    expect(reload(renderConfig(resolved)).config.top_dir).toBe(text);
  });

  it('keeps random numbers to the last bit', () => {
    const stream = new RandomStream(1, 'numbers');
    for (let i = 0; i < 20; i++) {
      const overrides = {
        'train/optim/lr': 10 ** stream.between(-320, 300),
        'train/optim/weight_decay': 10 ** stream.between(-12, 0),
        'train/m': stream.uniform(),
        'augment/crop_scale': [1e-9 + stream.uniform() / 2, 1],
        seed: Math.floor(stream.uniform() * 2 ** 53),
      };
      const resolved = resolveConfig(PRETRAIN, { overrides });
      expect(reload(renderConfig(resolved)).config).toEqual(resolved.config);
    }
  });

  it('survives a file name with a line break', () => {
    const folder = folderWith({ 'a\nseed: 9\n.yaml': 'train: {m: 0.5}\n' });
    const resolved = resolveConfig(PRETRAIN, { file: join(folder, 'a\nseed: 9\n.yaml') });
    expect(reload(renderConfig(resolved)).config).toEqual(resolved.config);
  });
});
