/**
 * What a run prints at its end can be copied into a shell and works. All of it in a folder whose name shells, URLs and formats would
 * read otherwise.
 */

import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeShapes } from '../../tools/shapes/write.js';
import { type Outcome, runCli } from '../helpers/cli.js';
import { writeClasses } from '../helpers/photos.js';
import { wordsOf } from '../helpers/shell.js';

const STRANGE = `it's "100%" #1 $HOME ü`;

let top: string;
let folder: string;
beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'scrl-next-'));
  folder = join(top, STRANGE);
  mkdirSync(folder);
  await writeClasses(join(folder, 'some photos/train'), 4);
  await writeClasses(join(folder, 'some photos/val'), 2, 100);
  await makeShapes({ out: join(folder, 'sce nes'), train: 6, val: 3, seed: 1, size: 96, overwrite: false });
});
afterAll(() => rm(top, { recursive: true, force: true }));

const run = (...args: string[]) => runCli(folder, args);

/** Commands by their purpose, split by a shell. */
async function offeredBy({ err }: Outcome): Promise<Map<string, string[]>> {
  const [, list = ''] = err.split('what to do next\n');
  const lines = [...list.matchAll(/^ {2}(\S.*?): +scrl (.*)$/gm)];
  return new Map(
    await Promise.all(lines.map(async ([, purpose, words]) => [purpose, await wordsOf(words)] as const)),
  );
}

async function works(words: readonly string[] | undefined, where = folder): Promise<string> {
  const { code, out, err } = await runCli(where, words ?? []);
  expect({ code, err }).toMatchObject({ code: 0 });
  return out + err;
}

describe('pretraining', () => {
  let offered: Map<string, string[]>;
  let said: string;
  beforeAll(async () => {
    const small = [
      '--augment/input_size',
      '32',
      '--network/scrl/min_size',
      '6',
      '--train/batch_size_train',
      '4',
    ];
    const short = [
      '--train/max_epochs',
      '1',
      '--eval/max_epochs',
      '1',
      '--network/proj_head/hidden_size',
      '16',
    ];
    const data = ['--dataset/root', 'some photos', '--save_dir', 'a run'];
    const outcome = await run('pretrain', '--config', 'quickstart', ...data, ...small, ...short);
    expect(outcome).toMatchObject({ code: 0 });
    said = outcome.err;
    offered = await offeredBy(outcome);
  });

  it('says at its start what it is going to do, and what looks wrong', () => {
    expect(said).toContain('quickstart: SCRL, resnet18, views of 32 px\n');
    expect(said).toContain('8 images in batches of 4: 2 steps an epoch, 2 in 1 epoch\n');
    expect(said).toMatch(/learning rate 0\.0625 \(train\/optim\/lr 4 is for 256 images\)/);
    expect(said).toContain('warning: 8 images are 2 steps an epoch, 2 in all: more images, ');
  });

  it('offers these', () => {
    expect([...offered.keys()]).toEqual([
      'for Detectron2',
      'see its features',
      'nearest neighbours',
      'linear evaluation',
      'a detector from it',
    ]);
  });

  it('conversion, a picture, nearest neighbours', async () => {
    await works(offered.get('for Detectron2'));
    await works(offered.get('see its features'));
    for (const name of ['backbone.pkl', 'pca.png'])
      expect(existsSync(join(folder, 'a run', name))).toBe(true);
    expect(await works(offered.get('nearest neighbours'))).toContain('4 images against 8, 2 classes');
  });

  it('the linear evaluation, and after it the one of random weights', async () => {
    const outcome = await run(...(offered.get('linear evaluation') ?? []));
    expect(outcome.err).toMatch(
      /config: linear evaluation of resnet18, .*, 32 px\n8 images in batches of 8: 1 step an epoch, /,
    );
    expect(outcome).toMatchObject({ code: 0 });
    const next = await offeredBy(outcome);
    expect(await works(next.get('the same with random weights'))).toContain(
      'random weights; statistics of batch norm',
    );
    expect(existsSync(join(folder, 'a run/linear_random/results.json'))).toBe(true);
  });

  it('a detector, and what is offered after that', async () => {
    const data = (words: readonly string[]) =>
      words.map(
        (word) => ({ DIR: 'sce nes/train', JSON: 'sce nes/annotations/instances_train.json' })[word] ?? word,
      );
    const val = [
      '--dataset/val/images',
      'sce nes/val',
      '--dataset/val/annotations',
      'sce nes/annotations/instances_val.json',
    ];
    const sizes = ['min_size_train', 'max_size_train', 'min_size_test', 'max_size_test'].flatMap((name) => [
      `--input/${name}`,
      '64',
    ]);
    const small = [
      '--model/fpn_channels',
      '8',
      '--model/fc_dim',
      '16',
      '--train/max_steps',
      '2',
      '--save_dir',
      'det #1',
    ];
    const outcome = await run(...data(offered.get('a detector from it') ?? []), ...val, ...sizes, ...small);
    expect(outcome).toMatchObject({ code: 0 });
    expect(outcome.err).toContain('one_machine: Faster R-CNN, resnet18 and FPN, shorter side 64 px\n');
    expect(outcome.err).toContain(
      'warning: 2 steps of 2 images see 4 of the 5 images: a larger train/max_steps sees all',
    );
    const next = await offeredBy(outcome);
    expect([...next.keys()]).toEqual(['see what it finds', 'evaluate it anew', 'use it elsewhere']);
    for (const words of next.values()) await works(words);
    for (const name of ['pictures', 'evaluation', 'detector.pkl']) {
      expect(existsSync(join(folder, 'det #1', name)), name).toBe(true);
    }
  });

  it('a dry run says the same', async () => {
    const { code, err } = await run(
      'pretrain',
      '--config',
      'a run/config.yaml',
      '--save_dir',
      'dry',
      '--dry-run',
    );
    expect(err).toContain(
      'config: SCRL, resnet18, views of 32 px\n8 images in batches of 4: 2 steps an epoch, 2 in 1 epoch\n',
    );
    expect(err).toContain('warning: 8 images are 2 steps an epoch, ');
    expect(code).toBe(0);
  });
});
