/** The files in `configs/`: the reference's four with all their values, and ours. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';
import { folderWith } from './files.js';

const CONFIGS = join(import.meta.dirname, '../../configs');

/** As the reference writes it (Python's True and False, no exponents), for its four files. */
function referenceYaml(scrl: boolean, long: boolean): string {
  const boxes = `
    num_patches_per_image: 10
    iou_threshold: 0.5
    box_jittering: False
    jittering_ratio: 0.1
    grid_based_box_gen: True
    min_size: 32
    pool_size: 1
    spatial_scale: 0.03125
    sampling_ratio: -1
    detectron_aligned: False`;
  return `load_dir: null
network:
  name: resnet50
  proj_head:
    input_size: 2048
    hidden_size: 4096
    output_size: 256
  scrl:
    enabled: ${scrl ? 'True' : 'False'}${scrl ? boxes : ''}
dataset:
  name: imagenet
  root: null
augment:
  type: simclr
  input_size: 224
  crop_scale: [0.2, 1.0]
train:
  enabled: True
  online_eval: True
  batch_size_train: 256
  batch_size_eval: 2048
  max_epochs: ${long ? 1000 : 200}
  warmup_epochs: 10
  valid_interval: ${long ? (scrl ? 100 : 10) : 5}
  snapshot_interval: ${long ? 100 : 20}
  tb_interval: ${long ? 5 : 1}
  num_workers: 12
  m: ${long ? '0.996' : '0.97'}
  optim:
    lr: ${long ? '0.2' : '0.45'}
    momentum: 0.9
    weight_decay: ${long ? '0.0000015' : '0.000001'}
eval:
  enabled: True
  finetune: False
  max_epochs: 80
  warmup_epochs: 5
  valid_interval: 5
  batch_size_train: 128
  batch_size_eval: 2048
  num_workers: 12
  optim:
    lr: ${scrl ? '0.2' : '0.05'}
    momentum: 0.9
    weight_decay: 0.0
    nesterov: True
`;
}

describe.each([
  ['scrl_200ep', true, false],
  ['scrl_1000ep', true, true],
  ['byol_200ep', false, false],
  ['byol_1000ep', false, true],
])('%s', (name, scrl, long) => {
  it('has the values of the reference, whose own file loads unchanged', () => {
    const reference = resolveConfig(PRETRAIN, {
      file: join(folderWith({ 'ref.yaml': referenceYaml(scrl, long) }), 'ref.yaml'),
    });
    const ours = resolveConfig(PRETRAIN, { file: join(CONFIGS, `${name}.yaml`) });
    expect(ours.config).toEqual(reference.config);
    expect(ours.configName).toBe(name);
    const set = (origins: ReadonlyMap<string, string>): string[] =>
      [...origins].filter(([, origin]) => origin !== 'default').map(([path]) => path);
    expect(set(ours.origins)).toEqual(set(reference.origins));
    expect(set(ours.origins)).toHaveLength(scrl ? 47 : 37);
  });
});

it('scrl_200ep is what the defaults are, apart from the data set and the size that follows the backbone', () => {
  const { config } = resolveConfig(PRETRAIN, { file: join(CONFIGS, 'scrl_200ep.yaml') });
  const values = PRETRAIN.flatten(config);
  const different = [...PRETRAIN.leaves].filter(
    ([path, leaf]) => JSON.stringify(leaf.default) !== JSON.stringify(values.get(path)),
  );
  expect(different.map(([path]) => path)).toEqual(['network/proj_head/input_size', 'dataset/name']);
});

describe.each(['one_machine', 'quickstart'])('%s', (name) => {
  it('loads, and is small', () => {
    const { config } = resolveConfig(PRETRAIN, { file: join(CONFIGS, `${name}.yaml`) });
    expect(config.network.name).toBe('resnet18');
    expect(config.dataset.name).toBe('auto');
    expect(config.train.optim.momentum).toBe(0.9);
  });
});

it.each(['scrl_200ep', 'scrl_1000ep', 'byol_200ep', 'byol_1000ep', 'one_machine', 'quickstart'])(
  '%s opens with its command',
  (name) => {
    const head = readFileSync(join(CONFIGS, `${name}.yaml`), 'utf8').split(/\n(?!#)/)[0];
    expect(head).toContain(`npx scrl pretrain --config configs/${name}.yaml --dataset/root DIR`);
  },
);
