/** Detectors as users have them: train, stop, resume, evaluate, predict, convert. One tiny run serves most of it. */

import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTensor, type TensorSource } from '../../src/core/array.js';
import { loadResized } from '../../src/data/detection-loader.js';
import type { DetectionPlan } from '../../src/data/detection-transform.js';
import { padImages } from '../../src/data/pad-images.js';
import { readTorchFile } from '../../src/formats/torch-pth.js';
import type { FileDict } from '../../src/formats/value.js';
import { probeImage } from '../../src/image/probe.js';
import { makeShapes } from '../../tools/shapes/write.js';
import { runCli, startCli } from '../helpers/cli.js';
import { writeResNet18 } from '../helpers/weights.js';

let folder: string;
let common: string[];

const run = (...args: string[]) => runCli(folder, args);
const losses = (path: string): unknown[] =>
  readFileSync(join(folder, path, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { step_s: _a, wait_s: _b, ...rest } = JSON.parse(line);
      return rest;
    });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-detect-'));
  await makeShapes({ out: join(folder, 'data'), train: 12, val: 4, seed: 1, size: 96, overwrite: false });
  await writeResNet18(join(folder, 'backbone.pth'), 3);
  writeFileSync(
    join(folder, 'tiny.yaml'),
    `model:
  backbone: resnet18
  masks: true
  fpn_channels: 16
  fc_dim: 32
  conv_dim: 16
  rpn: { anchor_sizes: [8, 16, 32, 64, 128], batch_size_per_image: 32, pre_nms_topk_train: 50, pre_nms_topk_test: 30, post_nms_topk_train: 40, post_nms_topk_test: 20 }
  roi: { batch_size_per_image: 16 }
  test: { score_threshold: 0.0, detections: 10 }
input: { min_size_train: [64, 80], max_size_train: 128, min_size_test: 64, max_size_test: 128 }
train: { batch_size: 2, reference_batch: 2, lr: 0.01, max_steps: 4, steps_at: [3], warmup_steps: 2, eval_steps: 2, num_workers: 2 }
`,
  );
  const of = (split: string) => [
    `--dataset/${split}/images`,
    `data/${split}`,
    `--dataset/${split}/annotations`,
    `data/annotations/instances_${split}.json`,
  ];
  common = ['detect', 'train', '--config', 'tiny.yaml', ...of('train'), ...of('val')];
  const { code, err } = await run(...common, '--weights', 'backbone.pth', '--save_dir', 'run');
  if (code !== 0) throw new Error(err);
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a run', () => {
  it('has every step, its losses, and the figures of evaluations in their interval and at the end', () => {
    const found = losses('run') as Record<string, number>[];
    expect(found.map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    for (const metrics of found) {
      const { loss_cls, loss_box_reg, loss_mask, loss_rpn_cls, loss_rpn_loc, loss } = metrics;
      const sum = loss_cls + loss_box_reg + loss_mask + loss_rpn_cls + loss_rpn_loc;
      expect(Math.abs(sum - loss)).toBeLessThan(1e-5 * loss);
    }
    expect(found.map((metrics) => metrics['bbox/AP'] !== undefined)).toEqual([false, true, false, true]);
    expect(found.map(({ lr }) => Number(lr.toPrecision(4)))).toEqual([1e-5, 0.005005, 0.01, 0.001]);
  });

  it('leaves checkpoints, results and a curve', () => {
    const names = readdirSync(join(folder, 'run'));
    expect(names).toEqual(
      expect.arrayContaining([
        'checkpoint_4.pth',
        'checkpoint_best.pth',
        'checkpoint_last.pth',
        'coco_instances_results.json',
        'config.yaml',
        'loss.svg',
        'metrics.jsonl',
        'original_tiny.yaml',
        'results.json',
        'tboard',
      ]),
    );
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const results = JSON.parse(readFileSync(join(folder, 'run', 'results.json'), 'utf8'));
    expect(results.protocol).toMatch(/^protocol default; Mask R-CNN resnet18 FPN; torch input; norms frozen/);
    expect(results.figures['bbox/AP']).toBeGreaterThanOrEqual(0);
  });

  it('is the same when it is stopped in the middle and resumed', async () => {
    const args = [...common, '--save_dir', 'stopped', '--weights', 'backbone.pth', '--train/save_steps', '1'];
    const first = startCli(folder, args);
    for (;;) {
      await new Promise((wake) => setTimeout(wake, 50));
      if (existsSync(join(folder, 'stopped', 'checkpoint_last.pth')) || first.child.exitCode !== null) break;
    }
    first.child.kill('SIGKILL');
    await first.ended;
    // Everything is the run's own, and its paths hold from any folder.
    const second = await runCli(tmpdir(), ['detect', 'train', '--resume', join(folder, 'stopped')]);
    expect(second.err).toContain('resuming from');
    expect(second.code).toBe(0);
    expect(losses('stopped')).toEqual(losses('run'));
  }, 240_000);

  it('prints the line that resumes it when it is asked to stop', async () => {
    const args = [...common, '--save_dir', "it's stopped", '--weights', 'backbone.pth'];
    const { child, ended, said } = startCli(folder, [...args, '--train/max_steps', '5000']);
    while (!/loss/.test(said()) && child.exitCode === null) await new Promise((wake) => setTimeout(wake, 20));
    child.kill('SIGTERM');
    const { code, err } = await ended;
    expect(code, err).toBe(143);
    expect(err).toMatch(/to resume: scrl detect train --resume '.*\/it'\\''s stopped'/);
    const { err: other } = await run(
      'detect',
      'train',
      '--resume',
      "it's stopped",
      '--train/lr',
      '0.02',
      '--train/max_steps',
      '1',
    );
    expect(other).toMatch('train/lr was 0.01 and is now 0.02');
    expect(other).toMatch(/total_steps was 5000 and is now 1/);
  }, 240_000);

  it('stops at a loss that is not finite, names the term, and keeps the batch', async () => {
    const args = [...common, '--weights', 'backbone.pth', '--save_dir', 'diverged', '--train/lr', '1e30'];
    const { code, err } = await run(...args, '--train/warmup_steps', '0');
    expect(code).toBe(2);
    expect(err).toMatch(/step 1: .*loss_\w+|step 1: .*RPN/);
    expect(err).toMatch(/first in |though every layer is finite/);
    expect(readdirSync(join(folder, 'diverged'))).toEqual(
      expect.arrayContaining(['nonfinite_step_1.json', 'nonfinite_step_1.pth']),
    );
    expect(err).toContain('readTorchFile');
    const kept = (await readTorchFile(join(folder, 'diverged', 'nonfinite_step_1.pth'))) as FileDict;
    const { shape, data } = await loadTensor(kept.get('images') as TensorSource);
    const { plans, files } = JSON.parse(
      readFileSync(join(folder, 'diverged', 'nonfinite_step_1.json'), 'utf8'),
    ) as { plans: DetectionPlan[]; files: string[] };
    const images = await Promise.all(
      plans.map(async (plan, i) => loadResized(files[i], await probeImage(files[i]), plan)),
    );
    const { height, width, images: pixels } = padImages(images);
    expect(shape).toEqual([2, height, width, 3]);
    expect(data).toEqual(pixels);
    expect(err).toContain("scrl detect preview with this run's config.yaml and --step 1");
    const preview = ['--config', 'diverged/config.yaml', '--step', '1', '--count', '2', '--out', 'seen.png'];
    expect((await run('detect', 'preview', ...preview)).code).toBe(0);
  });

  it('is not resumed on other data, or with another seed', async () => {
    await cp(join(folder, 'run'), join(folder, 'other'), { recursive: true });
    const { code, err } = await run(...common, '--save_dir', 'other', '--seed', '5');
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining('seed: was 0 and is now 5'),
    });
    const images = join(folder, 'other images');
    await cp(join(folder, 'data', 'train'), images, { recursive: true });
    for (const name of readdirSync(images)) appendFileSync(join(images, name), ' ');
    const others = await run('detect', 'train', '--resume', 'other', '--dataset/train/images', images);
    expect({ code: others.code, err: others.err }).toMatchObject({
      code: 2,
      err: expect.stringContaining('the images are others than those of the run'),
    });
    const annotations = join(folder, 'data', 'annotations', 'instances_val.json');
    const val = ['--dataset/train/images', 'data/val', '--dataset/train/annotations', annotations];
    const judged = await run('detect', 'train', '--resume', 'other', ...val);
    expect({ code: judged.code, err: judged.err }).toMatchObject({
      code: 2,
      err: expect.stringContaining('the annotations are others than those of the run'),
    });
  });
});

describe('the detector', () => {
  it('has the same figures when it is evaluated again', async () => {
    const args = ['--annotations', 'data/annotations/instances_val.json', '--images', 'data/val', '--json'];
    const { code, out } = await run(
      'detect',
      'eval',
      '--weights',
      'run/checkpoint_last.pth',
      '--out',
      'again',
      ...args,
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).protocol).toMatch(/^protocol default/);
    for (const name of ['coco_instances_results.json', 'results.json']) {
      const [trained, again] = ['run', 'again'].map((place) =>
        JSON.parse(readFileSync(join(folder, place, name), 'utf8')),
      );
      expect(again.figures ?? again).toEqual(trained.figures ?? trained);
    }
  });

  it('draws what it finds, and writes it as a data set', async () => {
    await mkdir(join(folder, 'photos'));
    await cp(join(folder, 'data', 'val', '000001.jpg'), join(folder, 'photos', 'a.jpg'));
    const { code, out } = await run(
      'detect',
      'predict',
      '--weights',
      'run',
      'photos',
      'data/val/000002.jpg',
      '--out',
      'found',
      '--threshold',
      '0',
    );
    expect(code).toBe(0);
    expect(readdirSync(join(folder, 'found')).sort()).toEqual(['000002.jpg', 'a.jpg', 'predictions.json']);
    const { images, annotations, categories } = JSON.parse(
      readFileSync(join(folder, 'found', 'predictions.json'), 'utf8'),
    );
    expect(images).toHaveLength(2);
    expect(categories.length).toBeGreaterThan(3);
    expect(annotations.every(({ bbox }: { bbox: number[] }) => bbox[2] > 0 && bbox[3] > 0)).toBe(true);
    expect(out).toContain('found/a.jpg: ');
  });

  it('is the same after a conversion to Detectron2 and back, names of classes and anchors with it', async () => {
    expect((await run('convert', 'run/checkpoint_last.pth', 'there.pkl')).code).toBe(0);
    expect((await run('convert', 'there.pkl', 'back.pth', '--to', 'detectron2')).code).toBe(0);
    const predictions = [];
    for (const weights of ['run/checkpoint_last.pth', 'there.pkl', 'back.pth']) {
      const args = [
        '--weights',
        weights,
        'data/val/000002.jpg',
        '--out',
        `from ${weights.replace('/', ' ')}`,
      ];
      expect((await run('detect', 'predict', ...args, '--threshold', '0')).code).toBe(0);
      predictions.push(readFileSync(join(folder, args[4], 'predictions.json'), 'utf8'));
    }
    expect(predictions[1]).toBe(predictions[0]);
    expect(predictions[2]).toBe(predictions[0]);
  });

  it.each<[string[], string]>([
    [['--weights', 'backbone.pth', 'photos', '--out', 'x'], 'holds a backbone, but no detector'],
    [['--weights', 'run', 'none.jpg', '--out', 'x'], 'none.jpg: '],
    [['--weights', 'run', 'photos', '--out', 'x', '--classes', 'unicorn'], 'no class "unicorn"'],
    [
      ['--weights', 'run', 'photos', '--out', 'x', '--threshold', '2'],
      '--threshold: must be a number from 0 to 1',
    ],
    [['--weights', 'run', 'photos', '--out', 'x', '--weights_style', 'msra'], 'was trained with torch input'],
  ])('%j is refused', async (args, problem) => {
    const { code, err } = await run('detect', 'predict', ...args);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(problem) });
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });
});

describe('a start that cannot work', () => {
  it.each<[string, string[], string]>([
    ['a frozen random backbone', [], 'cannot be used with a random backbone'],
    ['weights that are not there', ['--weights', 'none.pth'], 'none.pth: no such file'],
    ['another architecture', ['--weights', 'backbone.pth', '--model/backbone', 'resnet50'], 'is resnet18'],
    [
      'images that are not there',
      ['--weights', 'backbone.pth', '--dataset/train/images', 'photoz'],
      'photoz',
    ],
    ['another number of classes', ['--weights', 'backbone.pth', '--model/classes', '3'], 'model/classes'],
  ])('%s leaves no folder', async (_name, args, problem) => {
    const { code, err } = await run(...common, '--save_dir', 'refused', ...args);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(problem) });
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });
});
