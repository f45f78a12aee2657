/** Evaluation as users run it: during pretraining, after it, and on its own. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTensor, type TensorSource, toFloat32 } from '../../src/core/array.js';
import { readTorchFile } from '../../src/formats/torch-pth.js';
import type { FileDict } from '../../src/formats/value.js';
import { expectClose } from '../helpers/arrays.js';
import { runCli, startCli } from '../helpers/cli.js';
import { writeClasses, writePicture } from '../helpers/pictures.js';

let folder: string;
let config: string;
let images: string;
let pretrained: string;

/** Checkpoints are most of the work of so short a run: one, at its end, where no other is looked at. */
const SAVES_ONCE = ['--train/snapshot_interval', '3'];

const run = (...args: string[]) => runCli(folder, args);
const lines = (path: string): Record<string, number>[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const results = (path: string) => JSON.parse(readFileSync(join(path, 'results.json'), 'utf8'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-linear-'));
  images = join(folder, 'images');
  await writeClasses(images, 'train', ['bus', 'car', 'dog'], 3);
  await writeClasses(images, 'val', ['bus', 'car', 'dog'], 2);
  config = join(folder, 'tiny.yaml');
  writeFileSync(
    config,
    `network: { name: resnet18, proj_head: { hidden_size: 32, output_size: 16 }, scrl: { enabled: false } }
dataset: { root: ${images} }
augment: { input_size: 32 }
train: { max_epochs: 3, warmup_epochs: 1, batch_size_train: 3, num_workers: 2, snapshot_interval: 1, valid_interval: 2, knn_interval: 1 }
eval: { max_epochs: 3, warmup_epochs: 1, valid_interval: 2, batch_size_train: 3, num_workers: 2, optim: { lr: 50 } }
`,
  );
  pretrained = join(folder, 'run');
  const { code, err } = await run('pretrain', '--config', config, '--save_dir', pretrained);
  if (code !== 0) throw new Error(err);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('during pretraining', () => {
  it('validates in its interval and after the last epoch, and looks at neighbours in theirs', () => {
    const found = lines(join(pretrained, 'metrics.jsonl'));
    expect(found.length).toBe(9);
    const withValidation = found.filter(({ val_top1 }) => val_top1 !== undefined);
    expect(withValidation.map(({ step, epoch }) => [step, epoch])).toEqual([
      [5, 2],
      [8, 3],
    ]);
    const percentages = withValidation.flatMap(({ val_top1, val_top5 }) => [val_top1, val_top5]);
    // Of six images; three classes are all among the first five.
    for (const percent of percentages)
      expect((percent * 6) / 100).toBeCloseTo(Math.round((percent * 6) / 100), 6);
    expect(withValidation.map(({ val_top5 }) => val_top5)).toEqual([100, 100]);
    expect(found.filter(({ knn_20 }) => knn_20 !== undefined).map(({ step }) => step)).toEqual([2, 5, 8]);
  });

  it('keeps the best checkpoint, with its score', async () => {
    const found = lines(join(pretrained, 'metrics.jsonl')).filter(({ val_top1 }) => val_top1 !== undefined);
    const best = found.reduce((a, b) => (b.val_top1 > a.val_top1 ? b : a));
    const checkpoint = (await readTorchFile(join(pretrained, 'checkpoint_best.pth'))) as FileDict;
    expect(Number(checkpoint.get('max_eval_score'))).toBeCloseTo(best.val_top1, 10);
    expect(checkpoint.get('max_eval_epoch')).toBe(best.epoch);
    expect(checkpoint.get('epoch')).toBe(best.epoch);
    expect(checkpoint.get('tag')).toBe('best');
  });

  it('changes nothing of the training, and goes on with the best score after a resume', async () => {
    const metric = (path: string) =>
      lines(join(path, 'metrics.jsonl')).map(({ loss, eval_loss }) => [loss, eval_loss]);
    const resumed = join(folder, 'resumed');
    const off = ['--train/knn_interval', '0', '--train/valid_interval', '1', '--eval/enabled', 'false'];
    await run('pretrain', '--config', config, '--save_dir', resumed, ...off, ...SAVES_ONCE);
    expect(metric(resumed)).toEqual(metric(pretrained));
    // As if it had been stopped after the second epoch.
    const stopped = join(folder, 'stopped');
    await cp(pretrained, stopped, { recursive: true, verbatimSymlinks: true });
    await rm(join(stopped, 'checkpoint_last.pth'));
    await cp(join(pretrained, 'checkpoint_2.pth'), join(stopped, 'checkpoint_last.pth'));
    await run('pretrain', '--config', config, '--save_dir', stopped, '--eval/enabled', 'false');
    expect(lines(join(stopped, 'metrics.jsonl'))).toMatchObject(
      lines(join(pretrained, 'metrics.jsonl')).map(({ loss, val_top1, knn_20 }) => ({
        loss,
        ...(val_top1 !== undefined && { val_top1 }),
        ...(knn_20 !== undefined && { knn_20 }),
      })),
    );
    const [a, b] = await Promise.all(
      [pretrained, stopped].map((path) => readTorchFile(join(path, 'checkpoint_3.pth')) as Promise<FileDict>),
    );
    expect(b.get('max_eval_epoch')).toBe(a.get('max_eval_epoch'));
  });

  it('may start from the weights of another toolkit', async () => {
    const weights = join(folder, 'start.pkl');
    await run('convert', join(pretrained, 'checkpoint_3.pth'), weights);
    const saved = join(folder, 'started');
    const still = [
      '--train/optim/lr',
      '1e-12',
      '--train/max_epochs',
      '2',
      '--train/knn_interval',
      '0',
      '--eval/enabled',
      'false',
      ...SAVES_ONCE,
    ];
    const args = ['pretrain', '--config', config, '--weights', weights, '--save_dir', saved, ...still];
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([0, expect.stringMatching(/starting from resnet18, .*start\.pkl/)]);
    const filters = async (path: string, module: string) => {
      const checkpoint = (await readTorchFile(path)) as FileDict;
      const dict = checkpoint.get(`${module}_network_state_dict`) as FileDict;
      return toFloat32(await loadTensor(dict.get('encoder.0.weight') as TensorSource)).data;
    };
    const expected = await filters(join(pretrained, 'checkpoint_3.pth'), 'online');
    for (const module of ['online', 'target']) {
      expectClose(await filters(join(saved, 'checkpoint_2.pth'), module), expected, { absolute: 1e-6 });
    }
    const other = await run(
      ...args.slice(0, 5),
      '--network/name',
      'resnet34',
      '--save_dir',
      join(folder, 'wrong'),
    );
    expect([other.code, other.err]).toEqual([
      2,
      expect.stringMatching(/is a resnet18, but the configuration has a resnet34/),
    ]);
  });

  it('says when there is nothing to watch', async () => {
    const flat = join(folder, 'flat');
    for (let i = 0; i < 6; i++) await writePicture(join(flat, `${i}.jpg`), 0, i);
    const unlabelled = await run(
      'pretrain',
      '--config',
      config,
      '--dataset/root',
      flat,
      '--save_dir',
      join(folder, 'u'),
      '--train/max_epochs',
      '2',
      ...SAVES_ONCE,
    );
    expect(unlabelled.code).toBe(0);
    expect(unlabelled.err).toContain('online evaluation is off: the images have no class folders');
    expect(unlabelled.err).toContain('linear evaluation is left out: the images have no class folders');
    const split = await run(
      'pretrain',
      '--config',
      config,
      '--dataset/root',
      join(images, 'train'),
      '--save_dir',
      join(folder, 's'),
      '--train/max_epochs',
      '2',
      ...SAVES_ONCE,
    );
    expect(split.err).toMatch(/online classifier is not validated: there is no `val` folder/);
    expect(split.err).toMatch(/linear evaluation is left out: there is no `val` folder/);
  });
});

describe('after pretraining', () => {
  const evaluation = () => join(pretrained, 'linear');

  it('reports last and best, in the run folder', () => {
    const { protocol, comparable, classes, train_images, val_images, last, best, history } = results(
      evaluation(),
    );
    expect({ protocol, comparable, classes, train_images, val_images }).toEqual({
      protocol: 'linear evaluation',
      comparable: true,
      classes: 3,
      train_images: 9,
      val_images: 6,
    });
    expect(history.map(({ epoch }: { epoch: number }) => epoch)).toEqual([2, 3]);
    expect(last).toEqual(history[1]);
    expect(best.top1).toBe(Math.max(...history.map(({ top1 }: { top1: number }) => top1)));
    expect(readFileSync(join(evaluation(), 'log_result.txt'), 'utf8')).toMatch(
      /^tiny linear evaluation: last top-1 \d+\.\d{3} %, top-5 100\.000 % \(epoch 3\), best top-1 /,
    );
    expect(lines(join(evaluation(), 'metrics.jsonl')).length).toBe(9);
    expect(readdirSync(evaluation())).toEqual(expect.arrayContaining(['loss.svg', 'tboard']));
  });

  it('gives the same by its own command, from a file, and as the reference spells it', async () => {
    const weights = join(pretrained, 'checkpoint_3.pth');
    const own = join(folder, 'own');
    expect((await run('linear', '--config', config, '--weights', weights, '--save_dir', own)).code).toBe(0);
    expect(results(own).history).toEqual(results(evaluation()).history);
    expect(lines(join(own, 'metrics.jsonl'))).toEqual(lines(join(evaluation(), 'metrics.jsonl')));
    // Of another toolkit's names, and with other pieces of the validation.
    const converted = join(folder, 'r18.pkl');
    await run('convert', weights, converted);
    const other = join(folder, 'other');
    const pieces = ['--eval/batch_size_eval', '1', '--eval/num_workers', '5'];
    await run('linear', '--config', config, '--weights', converted, '--save_dir', other, ...pieces);
    expect(results(other).history).toEqual(results(evaluation()).history);
    const { code, err } = await run(
      'pretrain',
      '--config',
      config,
      '--train/enabled=False',
      '--load_dir',
      pretrained,
    );
    expect(err).toContain('resuming from');
    expect(code).toBe(0);
  });

  it('goes on where it was stopped', async () => {
    const whole = join(folder, 'own');
    const part = join(folder, 'part');
    const weights = join(pretrained, 'checkpoint_3.pth');
    const args = [
      'linear',
      '--config',
      config,
      '--weights',
      weights,
      '--save_dir',
      part,
      '--train/save_steps',
      '1',
    ];
    const { child, ended, said } = startCli(folder, args);
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (!readdirSync(folder).includes('part') || !readdirSync(part).includes('checkpoint_last.pth'))
          return;
        clearInterval(timer);
        resolve();
      }, 5);
      void ended.then(() => {
        clearInterval(timer);
        resolve();
      });
    });
    child.kill('SIGKILL');
    await ended;
    const { code, err } = await run(...args);
    expect(code, `${said()}${err}`).toBe(0);
    expect(err).toContain('resuming from');
    expect(results(part).history).toEqual(results(whole).history);
    expect(lines(join(part, 'metrics.jsonl'))).toEqual(lines(join(whole, 'metrics.jsonl')));
  });

  it('is not resumed with other settings', async () => {
    const { code, err } = await run('linear', '--config', config, '--load_dir', pretrained, '--seed', '1');
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/belongs to another evaluation: seed was 0 and is now 1[\s\S]*--overwrite/),
    ]);
  });

  it('has a fast mode, shares of the labels and fine-tuning, and says that they are not the protocol', async () => {
    const fast = await run(
      'linear',
      '--config',
      config,
      '--load_dir',
      pretrained,
      '--fast',
      '--fraction',
      '0.34',
    );
    expect(fast.code).toBe(0);
    expect(fast.err).toContain('not the protocol');
    expect(results(join(pretrained, 'linear_34percent_fast'))).toMatchObject({
      comparable: false,
      train_images: 3,
    });
    const tuned = await run(
      'linear',
      '--config',
      config,
      '--load_dir',
      pretrained,
      '--eval/finetune',
      'true',
    );
    expect(tuned.code).toBe(0);
    const { protocol, comparable } = results(join(pretrained, 'finetune'));
    expect([protocol, comparable]).toEqual(['fine-tuning', false]);
    const head = (await readTorchFile(join(pretrained, 'finetune', 'checkpoint_head.pth'))) as FileDict;
    expect(head.has('online_network_state_dict')).toBe(true);
  });
});

describe('mistakes', () => {
  it.each<[string, () => string[], RegExp]>([
    ['neither weights nor a run', () => [], /give either --weights FILE or --load_dir RUN/],
    [
      'a run that is none',
      () => ['--load_dir', join(folder, 'nowhere')],
      /nowhere: .*(no such file|holds no checkpoint_last)/,
    ],
    [
      'another network',
      () => ['--load_dir', pretrained, '--network/name', 'resnet50'],
      /is a resnet18, but the configuration has a resnet50\b[\s\S]*--network\/name resnet18/,
    ],
    [
      'a share of nothing',
      () => ['--load_dir', pretrained, '--fraction', '0'],
      /--fraction: must be above 0 and at most 1/,
    ],
    [
      'no labels',
      () => ['--load_dir', pretrained, '--dataset/root', join(folder, 'flat')],
      /cannot be evaluated with: the images have no class folders/,
    ],
    [
      'fast fine-tuning',
      () => ['--load_dir', pretrained, '--fast', '--eval/finetune', 'true'],
      /goes with no --fast/,
    ],
  ])('%s', async (_name, args, message) => {
    const { code, err } = await run('linear', '--config', config, ...args());
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });

  it('damaged weights', async () => {
    const damaged = join(folder, 'damaged.pth');
    writeFileSync(damaged, readFileSync(join(pretrained, 'checkpoint_3.pth')).subarray(0, 100_000));
    const { code, err } = await run('linear', '--config', config, '--weights', damaged);
    expect([code, err]).toEqual([2, expect.stringMatching(/damaged\.pth: .*cut off/)]);
  });

  it('other classes to validate than to train with', async () => {
    const odd = join(folder, 'odd');
    await writeClasses(odd, 'train', ['bus', 'car'], 2);
    await writeClasses(odd, 'val', ['bus', 'cat'], 2);
    const { code, err } = await run(
      'linear',
      '--config',
      config,
      '--load_dir',
      pretrained,
      '--dataset/root',
      odd,
    );
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(
        /other classes than the training images[\s\S]*only in train: car; only in val: cat/,
      ),
    ]);
  });

  it('an image that cannot be decoded is named, and not counted', async () => {
    const spoilt = join(folder, 'spoilt');
    await cp(images, spoilt, { recursive: true });
    for (const split of ['train', 'val']) {
      const path = join(spoilt, split, 'bus', '0.jpg');
      writeFileSync(path, readFileSync(path).subarray(0, 700));
    }
    const { code, err } = await run(
      'linear',
      '--config',
      config,
      '--load_dir',
      pretrained,
      '--dataset/root',
      spoilt,
      '--overwrite',
    );
    expect(code, err).toBe(0);
    expect(err).toMatch(/val\/bus\/0\.jpg: .*; it is not counted/);
    expect(results(join(pretrained, 'linear')).last.images).toBe(5);
    expect(err.match(/train\/bus\/0\.jpg: .*; another image takes its place/g)).toHaveLength(1);
    expect(readFileSync(join(pretrained, 'linear', 'skipped_images.tsv'), 'utf8')).toMatch(
      /^\S*train\/bus\/0\.jpg\t/,
    );
  });
});
