/** Standard output and standard error that take no more: a reader that has gone, a full disk. */

import { existsSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { collect, startProcess } from '../helpers/child-processes.js';
import { CLI, startCli } from '../helpers/cli.js';
import { writePicture } from '../helpers/pictures.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-outputs-'));
  for (let i = 0; i < 8; i++) await writePicture(join(folder, 'images', `${i}.jpg`), i, i);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const TRAIN = [
  ...['pretrain', '--no_pbar', '--config', 'quickstart', '--dataset/root', 'images', '--save_dir', 'run'],
  ...['--network/name', 'resnet18', '--augment/input_size', '32', '--network/scrl/min_size', '8'],
  ...['--network/proj_head/hidden_size', '32', '--network/proj_head/output_size', '16'],
  ...['--train/batch_size_train', '4', '--train/max_epochs', '2', '--train/warmup_epochs', '0'],
  ...['--eval/enabled', 'false'],
];

it('a reader of standard error that has gone ends no training', async () => {
  const { child, ended } = startCli(folder, TRAIN);
  child.stderr?.once('data', () => child.stderr?.destroy());
  expect((await ended).code).toBe(0);
  expect(existsSync(join(folder, 'run/checkpoint_last.pth'))).toBe(true);
});

it('a reader of standard output that has gone is no mistake', async () => {
  const { child, ended } = startCli(folder, ['config', 'show', '--config', 'quickstart']);
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ code: 0, err: '' });
});

it.skipIf(!existsSync('/dev/full'))(
  'standard output on a full disk is said once, with exit code 2',
  async () => {
    const full = openSync('/dev/full', 'w');
    const args = [CLI, 'config', 'show', '--config', 'quickstart'];
    const child = startProcess(process.execPath, args, { cwd: folder, stdio: ['ignore', full, 'pipe'] });
    const { code, err } = await collect(child).ended;
    expect(err).toMatch(/^error: standard output: cannot be written: .*ENOSPC.*\n$/);
    expect(code).toBe(2);
  },
);
