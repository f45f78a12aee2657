/** Detectors on data that is odd, but right: trained for a few steps, evaluated, and asked what they find. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import type { Annotation } from '../../src/pycocotools/dataset/types.js';
import { annotation, writeAnnotations, writeImages } from '../data/detection-data.js';
import { runCli } from '../helpers/cli.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-odd-'));
  await writeFile(
    join(folder, 'tiny.yaml'),
    `dataset: { keep_empty: true }
model:
  backbone: resnet18
  masks: true
  freeze_at: 0
  norm: { backbone: batch, fpn: batch }
  fpn_channels: 16
  fc_dim: 32
  conv_dim: 16
  rpn: { batch_size_per_image: 32, pre_nms_topk_train: 50, pre_nms_topk_test: 30, post_nms_topk_train: 40, post_nms_topk_test: 20 }
  roi: { batch_size_per_image: 16 }
  test: { score_threshold: 0.0, detections: 10 }
input: { min_size_train: [64], max_size_train: 128, min_size_test: 64, max_size_test: 128 }
train: { batch_size: 2, reference_batch: 2, lr: 0.001, max_steps: 6, steps_at: [], warmup_steps: 2, eval_steps: 0, num_workers: 2 }
`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function object(id: number, image: number, bbox: number[], more: object = {}): Annotation {
  return annotation(id, image, bbox, { area: bbox[2] * bbox[3], ...more });
}

/** Objects of all sizes, many more than anchors that are sampled. */
function crowded(image: number, count: number): Annotation[] {
  const stream = new RandomStream(1, 'odd');
  return Array.from({ length: count }, (_, i) => {
    const [x, y, w, h] = [
      stream.integer(0, 80),
      stream.integer(0, 60),
      stream.integer(1, 20),
      stream.integer(1, 20),
    ];
    return object(100 + i, image, [x, y, w, h]);
  });
}

const SIZES = [
  [100, 80],
  [100, 80],
  [100, 80],
  [100, 80],
  [4000, 20],
  [20, 4000],
] as const;

it.each<[string, number, Annotation[]]>([
  [
    'a thousand classes, and objects in one image only',
    1000,
    [object(1, 0, [10, 10, 40, 50], { category_id: 7 })],
  ],
  [
    'one class: of one pixel, 3,000 in a picture, in pictures of 20 x 4000',
    1,
    [
      object(1, 0, [30, 40, 1, 1]),
      ...crowded(2, 3000),
      object(2, 4, [100, 2, 300, 15]),
      object(3, 5, [2, 3000, 15, 300]),
      object(4, 5, [0, 0, 1, 1]),
    ],
  ],
])('%s', async (name, classes, annotations) => {
  const place = join(folder, String(classes));
  const images = await writeImages(place, SIZES);
  const categories = Array.from({ length: classes }, (_, i) => ({ id: 3 + i, name: `class ${i}` }));
  const json = writeAnnotations(place, { images, categories, annotations });
  const pictures = join(place, 'images');
  const sets = ['train', 'val'].flatMap((split) => [
    ...[`--dataset/${split}/images`, pictures],
    ...[`--dataset/${split}/annotations`, json],
  ]);
  const scrl = async (...args: string[]) => {
    const { code, out, err } = await runCli(place, ['detect', ...args]);
    expect(code, `${name}: ${err}`).toBe(0);
    return out;
  };
  await scrl('train', '--config', join(folder, 'tiny.yaml'), ...sets, '--save_dir', 'run');
  const evaluated = await scrl(
    'eval',
    '--weights',
    'run',
    '--annotations',
    json,
    '--images',
    pictures,
    '--out',
    'evaluated',
    '--json',
  );
  expect(JSON.parse(evaluated).figures['bbox/AP']).toBeGreaterThanOrEqual(0);
  const found = await scrl('predict', '--weights', 'run', pictures, '--out', 'found', '--threshold', '0');
  for (const i of SIZES.keys()) expect(found).toMatch(new RegExp(`found/${i}\\.jpg: \\d+ class`));
});

it('annotations that could not be judged in the end are refused at the start', async () => {
  const place = join(folder, 'no area');
  const images = await writeImages(place, [[64, 64]]);
  const one = [{ id: 3, name: 'cat' }];
  const json = writeAnnotations(place, {
    images,
    categories: one,
    annotations: [annotation(1, 0, [3, 4, 20, 20])],
  });
  const pictures = join(place, 'images');
  const sets = ['train', 'val'].flatMap((split) => [
    ...[`--dataset/${split}/images`, pictures],
    ...[`--dataset/${split}/annotations`, json],
  ]);
  const { code, err } = await runCli(place, [
    'detect',
    'train',
    '--config',
    join(folder, 'tiny.yaml'),
    ...sets,
    '--save_dir',
    'run',
  ]);
  expect({ code, err }).toMatchObject({
    code: 2,
    err: expect.stringContaining('annotation 1 needs a finite number'),
  });
  expect(err).toContain('area');
  expect(existsSync(join(place, 'run'))).toBe(false);
});
