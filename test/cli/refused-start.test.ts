/** A start that is refused leaves no folder, and an earlier run's configuration as it was. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.js';
import { writePicture } from '../helpers/pictures.js';

let folder: string;
const PRETRAIN = [
  ...['pretrain', '--no_pbar', '--config', 'quickstart', '--dataset/root', 'images'],
  ...['--augment/input_size', '32', '--network/scrl/min_size', '8', '--train/batch_size_train', '4'],
  ...['--network/proj_head/hidden_size', '32', '--network/proj_head/output_size', '16'],
  ...['--train/max_epochs', '1', '--train/warmup_epochs', '0', '--eval/enabled', 'false'],
];
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-refused-'));
  for (let i = 0; i < 8; i++) await writePicture(at('images', `${i}.jpg`), i, i);
  const { code, err } = await runCli(folder, [
    ...PRETRAIN,
    '--save_dir',
    'done',
    '--network/name',
    'resnet18',
  ]);
  expect(code, err).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('another network in the folder of a finished run', async () => {
  const before = readFileSync(at('done/config.yaml'), 'utf8');
  const names = readdirSync(at('done'));
  const other = ['--save_dir', 'done', '--network/name', 'resnet34', '--train/max_epochs', '2'];
  const { code, err } = await runCli(folder, [...PRETRAIN, ...other]);
  expect(code, err).toBe(2);
  expect(readFileSync(at('done/config.yaml'), 'utf8')).toBe(before);
  expect(readdirSync(at('done'))).toEqual(names);
});

it.each([
  [['--weights', 'nosuch.pth'], 'nosuch.pth'],
  [['--load_dir', 'images'], 'no checkpoint_last.pth'],
])('%j in a new folder', async (args, message) => {
  const { code, err } = await runCli(folder, [...PRETRAIN, '--network/name', 'resnet18', ...args]);
  expect(err).toContain(message);
  expect(code).toBe(2);
  expect(existsSync(at('runs')) ? readdirSync(at('runs')) : []).toEqual([]);
});
