/** The command as users run it: help, mistakes and their exit codes, a whole run, Ctrl-C, kill -9 and resume. */

import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { encodeJpeg } from '../../src/image/encode.js';
import { CLI, runCli, startCli } from '../helpers/cli.js';

let folder: string;
let config: string;
let photos: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-cli-'));
  photos = join(folder, 'photos');
  mkdirSync(photos);
  for (let i = 0; i < 11; i++) {
    const stream = new RandomStream(1, 'photo', i);
    const [r, g, b] = [stream.uniform(), stream.uniform(), stream.uniform()];
    const data = Uint8Array.from({ length: 120 * 90 * 3 }, (_, p) => {
      const x = Math.floor(p / 3) % 120;
      return 127 + 100 * Math.sin(x * [r, g, b][p % 3] + i) * Math.cos(p / 3 / 120 / 5);
    });
    writeFileSync(join(photos, `${i}.jpg`), await encodeJpeg({ data, width: 120, height: 90 }));
  }
  writeFileSync(join(photos, 'broken.jpg'), 'this is no picture');
  writeFileSync(join(photos, 'empty.png'), '');
  config = join(folder, 'tiny.yaml');
  writeFileSync(
    config,
    `network: { name: resnet18, proj_head: { hidden_size: 32, output_size: 16 }, scrl: { min_size: 8, num_patches_per_image: 3 } }
augment: { input_size: 32 }
train: { max_epochs: 3, warmup_epochs: 1, batch_size_train: 4, num_workers: 2, save_steps: 2, snapshot_interval: 2 }
eval: { enabled: false }
`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('may be executed: npm marks it only the first time that it links it', () => {
  accessSync(CLI, constants.X_OK);
});

const start = (args: string[]) => startCli(folder, args);
const run = (...args: string[]) => runCli(folder, args);
const pretrain = (saveDir: string, ...more: string[]) => [
  'pretrain',
  '--config',
  config,
  '--dataset/root',
  photos,
  '--save_dir',
  join(folder, saveDir),
  ...more,
];

/** Checkpoints are most of the work of so short a run: one, at its end, where no other is looked at. */
const SAVES_ONCE = ['--train/save_steps', '100', '--train/snapshot_interval', '3'];

function losses(saveDir: string): { step: number; loss: number }[] {
  const text = readFileSync(join(folder, saveDir, 'metrics.jsonl'), 'utf8').trim();
  return text.split('\n').map((line) => {
    const { step, loss } = JSON.parse(line) as { step: number; loss: number };
    return { step, loss };
  });
}

/** Resolves when `isTrue`, or when the process has ended. */
async function until(isTrue: () => boolean, { child }: ReturnType<typeof start>): Promise<void> {
  while (!isTrue() && child.exitCode === null) await new Promise((wake) => setTimeout(wake, 20));
}

it('the executable says what runs it: npm links it as it is', () => {
  expect(readFileSync(CLI, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

describe('mistakes end with 2 and say what to do', () => {
  const cases: [string, string[], RegExp][] = [
    [
      'a flag without its value',
      ['pretrain', '--config'],
      /^error: --config: needs a value; see: scrl pretrain --help\n$/,
    ],
    [
      'a field without its value',
      ['pretrain', '--dataset/root'],
      /^error: --dataset\/root: needs a value; see: /,
    ],
    [
      'short names',
      ['pretrain', '--config', 'tiny.yaml', '--lr', '1', '--max_epochs', '3'],
      /--lr: did you mean --train\/optim\/lr\?\n {2}--max_epochs: did you mean --train\/max_epochs\?/,
    ],
    ['no config', ['pretrain'], /Missing required argument: config/],
    ['config that is not there', ['pretrain', '--config', 'no.yaml'], /no\.yaml/],
    [
      'unknown flag',
      ['config', 'show', '--config', 'tiny.yaml', '--trian/max_epochs', '3'],
      /did you mean --train\/max_epochs/,
    ],
    [
      'bad value',
      ['config', 'show', '--config', 'tiny.yaml', '--train/optim/lr', 'fast'],
      /train\/optim\/lr/,
    ],
    ['no images given', ['pretrain', '--config', 'tiny.yaml'], /dataset\/root: no images are given/],
    ['no such folder', ['pretrain', '--config', 'tiny.yaml', '--dataset/root', 'nowhere'], /nowhere/],
    [
      'a file for a folder',
      ['pretrain', '--config', 'tiny.yaml', '--dataset/root', 'tiny.yaml'],
      /tiny\.yaml/,
    ],
    [
      'missing load_dir',
      [
        'pretrain',
        '--config',
        'tiny.yaml',
        '--dataset/root',
        'photos',
        '--load_dir',
        'void',
        '--save_dir',
        'fresh',
      ],
      /void: load_dir: there is no checkpoint_last\.pth/,
    ],
  ];
  it.each(cases)('%s', async (_, args, message) => {
    const { code, err } = await run(...args);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });
});

it('--help shows examples', async () => {
  const { code, out } = await run('pretrain', '--help');
  expect(code).toBe(0);
  expect(out).toMatch(/scrl pretrain --config scrl_200ep\s+/);
  expect(out).toContain('--train/optim/lr');
});

it('config show prints values and where they came from', async () => {
  const { code, out } = await run('config', 'show', '--config', config, '--train/optim/lr', '0.3');
  expect(code).toBe(0);
  expect(out).toMatch(/lr: 0\.3\s+# command line --train\/optim\/lr/);
  expect(out).toMatch(/max_epochs: 3\s+# .*tiny\.yaml:3/);
});

describe('pretrain', () => {
  it('trains, writes everything, and does nothing when it is run again', async () => {
    const { code, err } = await start(pretrain('whole')).ended;
    expect(err).toContain('2 files cannot be used');
    expect(code).toBe(0);
    const files = readdirSync(join(folder, 'whole'));
    expect(files).toEqual(
      expect.arrayContaining([
        'checkpoint_2.pth',
        'checkpoint_3.pth',
        'checkpoint_last.pth',
        'config.yaml',
        'loss.svg',
        'metrics.jsonl',
        'skipped_images.tsv',
        'tboard',
      ]),
    );
    expect(readlinkSync(join(folder, 'whole', 'checkpoint_last.pth'))).toBe('checkpoint_3.pth');
    expect(files.filter((name) => name.endsWith('.tmp') || name.includes('rolling'))).toEqual([]);
    expect(losses('whole').map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const again = await run(...pretrain('whole'));
    expect(again.err).toContain('nothing to train');
    expect(again.code).toBe(0);
  });

  it('gives the same losses with another number of workers', async () => {
    await run(...pretrain('workers', '--train/num_workers', '5', ...SAVES_ONCE));
    expect(losses('workers')).toEqual(losses('whole'));
  });

  it('continues exactly where kill -9 and Ctrl-C left it', async () => {
    const first = start(pretrain('killed'));
    const link = join(folder, 'killed', 'checkpoint_last.pth');
    await until(() => lstatSync(link, { throwIfNoEntry: false }) !== undefined, first);
    first.child.kill('SIGKILL');
    await first.ended;
    const second = start(pretrain('killed'));
    await until(() => second.said().includes('resuming from'), second);
    second.child.kill('SIGINT');
    const { code, err } = await second.ended;
    expect(err).toMatch(/to resume: scrl pretrain --resume .*killed\n/);
    expect(code).toBe(130);
    const third = await run(...pretrain('killed'));
    expect(third.code).toBe(0);
    expect(losses('killed')).toEqual(losses('whole'));
  });

  it('trains BYOL, with a classifier where there are class folders', async () => {
    const classes = join(folder, 'classes');
    for (const [i, name] of readdirSync(photos)
      .filter((name) => /^\d/.test(name))
      .entries()) {
      mkdirSync(join(classes, `class${i % 2}`), { recursive: true });
      writeFileSync(join(classes, `class${i % 2}`, name), readFileSync(join(photos, name)));
    }
    const args = pretrain('byol', '--network/scrl/enabled', 'false', ...SAVES_ONCE);
    args[args.indexOf(photos)] = classes;
    const outcome = await run(...args);
    expect(outcome.err).toContain('2 classes');
    expect(outcome.code).toBe(0);
    const last = JSON.parse(
      readFileSync(join(folder, 'byol', 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .at(-1) ?? '',
    );
    expect(last).toMatchObject({ step: 8, epoch: 3 });
    expect(last.eval_acc).toBeGreaterThanOrEqual(0);
  });

  it('refuses to resume another method, and a damaged checkpoint; nothing is lost', async () => {
    const other = await run(
      ...pretrain('whole', '--network/scrl/enabled', 'false', '--train/max_epochs', '5'),
    );
    expect(other.err).toContain('is a checkpoint of scrl, not of byol');
    expect(other.code).toBe(2);
    const last = join(folder, 'whole', 'checkpoint_3.pth');
    const whole = readFileSync(last);
    writeFileSync(last, whole.subarray(0, whole.length / 2));
    const damaged = await run(...pretrain('whole', '--train/max_epochs', '5'));
    expect(damaged.err).toContain('checkpoint_2.pth');
    expect(damaged.code).toBe(2);
    writeFileSync(last, whole);
  });

  it('says so when the run folder cannot be written', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may write everywhere');
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    const { code, err } = await run(...pretrain('locked/run'));
    expect(err).toContain('permission denied');
    expect(code).toBe(2);
  });

  it('--dry-run leaves nothing behind and estimates the time', async () => {
    const { code, err } = await run(...pretrain('never', '--dry-run'));
    expect(code).toBe(0);
    expect(err).toMatch(/checkpoint: .* written to .* and read back/);
    expect(err).toMatch(/time: .* for the run of 3 epochs/);
    expect(readdirSync(folder).filter((name) => /never|dry_run/.test(name))).toEqual([]);
  });
});

it('preview writes a picture', async () => {
  const args = ['--config', config, '--dataset/root', photos, '--count', '3', '--out', 'p.png'];
  const { code, err } = await run('preview', ...args);
  expect(err).toContain('p.png: 3 images');
  expect(code).toBe(0);
  const png = readFileSync(join(folder, 'p.png'));
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([3 * 192 + 32, 3 * 200 + 8]);
});
