/** Runs that go on: by the line that was printed, in the newest folder, and not with other images. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, startCli } from '../helpers/cli.js';
import { writePicture } from '../helpers/pictures.js';

const SMALL = {
  'network/name': 'resnet18',
  'network/proj_head/hidden_size': 32,
  'network/proj_head/output_size': 16,
  'network/scrl/min_size': 8,
  'network/scrl/num_patches_per_image': 3,
  'augment/input_size': 32,
  'train/max_epochs': 200,
  'train/warmup_epochs': 0,
  'train/batch_size_train': 2,
  'train/num_workers': 2,
  'train/optim/lr': 1.5,
  'eval/enabled': false,
};

let folder: string;
const flags = (more: Record<string, unknown>) =>
  Object.entries({ ...SMALL, ...more }).flatMap(([key, value]) => [`--${key}`, String(value)]);
const pretrain = (root: string, saveDir: string, more = {}) => [
  ...['pretrain', '--no_pbar', '--config', 'quickstart', '--dataset/root', root, '--save_dir', saveDir],
  ...flags(more),
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-resume-'));
  for (let i = 0; i < 12; i++) {
    await writePicture(join(folder, "it's mine", `${i}.jpg`), i, i);
    await writePicture(join(folder, 'others', `${i}.jpg`), i, 100 + i);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const steps = (run: string): { step: number; lr: number }[] =>
  readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Trains until some lines of progress were said and asks the process to end; again, until that is amid an epoch. */
async function interrupted(args: readonly string[], run: string): Promise<string> {
  const { child, ended, said } = startCli(folder, args);
  while (!said().includes(' epoch ')) await new Promise((wake) => setTimeout(wake, 5));
  child.kill('SIGTERM');
  const { code, err } = await ended;
  expect(code, err).toBe(143);
  return steps(run).length % 6 === 0 ? interrupted(args, run) : err;
}

it('the line that Ctrl-C prints resumes the run as it was, from any folder', async () => {
  const err = await interrupted(pretrain("it's mine", 'runs/my run_000'), 'runs/my run_000');
  const [, line] = /to resume: (scrl .*)\n/.exec(err) ?? [];
  expect(line).toMatch(/^scrl pretrain --resume '.*my run_000'$/);
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${line}`])
    .toString()
    .trim()
    .split('\n');
  const before = steps('runs/my run_000');
  const config = readFileSync(join(folder, 'runs/my run_000/config.yaml'), 'utf8');
  mkdirSync(join(folder, 'elsewhere'));
  const { code, err: said } = await runCli(join(folder, 'elsewhere'), [
    ...words.slice(1),
    ...['--train/max_epochs', String(Math.ceil(before.length / 6) + 1)],
  ]);
  expect(said).toContain(`step ${before.length} of `);
  expect(code).toBe(0);
  expect(readFileSync(join(folder, 'runs/my run_000/config.yaml'), 'utf8')).not.toBe(config);
});

it('without a folder the newest unfinished run goes on', async () => {
  await interrupted(pretrain('others', 'runs/old_000'), 'runs/old_000');
  await interrupted(pretrain('others', 'runs/new_000'), 'runs/new_000');
  utimesSync(join(folder, 'runs/old_000/checkpoint_rolling.pth'), 1, 1);
  const { child, ended, said } = startCli(folder, ['pretrain', '--resume']);
  while (!said().includes('resuming from')) await new Promise((wake) => setTimeout(wake, 20));
  child.kill('SIGTERM');
  expect((await ended).err).toMatch(/resuming from .*new_000/);
  const none = await runCli(join(folder, 'elsewhere'), ['pretrain', '--resume']);
  expect(none.err).toContain('no unfinished run');
  expect(none.code).toBe(2);
});

it('other images in the middle of an epoch are refused; asked for, the epoch begins again', async () => {
  await interrupted(pretrain('others', 'swapped'), 'swapped');
  const done = steps('swapped').length;
  const refused = await runCli(folder, pretrain("it's mine", 'swapped'));
  expect(refused.err).toContain('the images are others');
  expect(refused.code).toBe(2);
  const epochs = { 'train/max_epochs': Math.ceil(done / 6) };
  const changed = { ...epochs, 'train/optim/lr': 1, 'train/optim/momentum': 0.5 };
  const again = await runCli(folder, [...pretrain("it's mine", 'swapped', changed), '--restart-epoch']);
  expect(again.err).toMatch(/warning: the images are others: the run goes on from epoch \d+\n/);
  expect(again.err).toContain('warning: train/optim/lr was 1.5 and is now 1\n');
  expect(again.err).toContain('warning: train/optim/momentum was 0.9 and is now 0.5\n');
  expect(again.code).toBe(0);
  expect(steps('swapped').map(({ step }) => step)).toEqual([...Array(6 * Math.ceil(done / 6)).keys()]);
});

it.each([
  [['--resume', 'others'], /others: cannot be resumed: there is no config\.yaml in it/],
  [['--resume', 'others', '--config', 'quickstart'], /--config: does not go with --resume/],
  [['--resume', 'others', '--weights', 'r50.pth'], /--weights: does not go with --resume/],
])('%j is refused', async (args, message) => {
  const { code, err } = await runCli(folder, ['pretrain', ...args]);
  expect(err).toMatch(message);
  expect(code).toBe(2);
});
