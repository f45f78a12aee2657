/**
 * A detector that was trained here, converted for Detectron2, and run by an implementation in PyTorch that was written from
 * the definitions and shares nothing with ours (python/detector.py; in the golden run of a Faster R-CNN it found Detectron2's
 * detections within 1e-7 of a score and 2e-5 pixels).
 * Needs a Python with torch: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadDetector } from '../../src/checkpoint/load-detector.js';
import { bytesOf, loadTensor } from '../../src/core/array.js';
import { SILENT } from '../../src/core/log.js';
import { padImages } from '../../src/data/pad-images.js';
import { decodePart } from '../../src/image/decode.js';
import { probeImage } from '../../src/image/probe.js';
import { resizeBilinear } from '../../src/image/resize-bilinear.js';
import {
  type DetectBatch,
  type ImageDetections,
  runDetectStep,
} from '../../src/models/detection/detect-host.js';
import { compileDetectStep } from '../../src/models/detection/detect-step.js';
import { decode, type Rle } from '../../src/pycocotools/mask/rle.js';
import { buildDetector, openDetector } from '../../src/recipes/detect/open-detector.js';
import { makeShapes } from '../../tools/shapes/write.js';
import { startCli } from '../helpers/cli.js';
import { openRuntime } from '../helpers/engine.js';
import { writeResNet18 } from '../helpers/weights.js';

const CHECKPOINT = 'run/checkpoint_last.pth';
/** Of both sides; not the defaults. */
const LIMITS = { candidates: 60, proposals: 40, scoreThreshold: 0.02, keep: 30 };
/** What the images of the batch are resized to: each is padded on another side. */
const SIZES = [
  { height: 128, width: 96 },
  { height: 80, width: 160 },
];

/** What detector.py finds in an image, best first. */
type TheirDetections = readonly { box: number[]; score: number; class: number; counts: number[] }[];

let folder: string;
const at = (name: string) => join(folder, name);

async function scrl(...args: string[]): Promise<void> {
  const { code, err } = await startCli(folder, args).ended;
  expect(code, err).toBe(0);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
  await makeShapes({ out: at('data'), train: 12, val: 2, seed: 1, size: 96, overwrite: false });
  await writeResNet18(at('backbone.pth'), 3, 0.7);
  await writeFile(
    at('tiny.yaml'),
    `model:
  backbone: resnet18
  masks: true
  fpn_channels: 16
  fc_dim: 32
  conv_dim: 16
  rpn: { anchor_sizes: [8, 16, 32, 64, 128], batch_size_per_image: 32, pre_nms_topk_train: 50, post_nms_topk_train: 40 }
  roi: { batch_size_per_image: 16 }
input: { min_size_train: [96], max_size_train: 128 }
train: { batch_size: 2, reference_batch: 2, lr: 0.01, max_steps: 20, steps_at: [18], warmup_steps: 5, eval_steps: 0, num_workers: 1 }
`,
  );
  const sets = ['train', 'val'].flatMap((split) => [
    ...[`--dataset/${split}/images`, `data/${split}`],
    ...[`--dataset/${split}/annotations`, `data/annotations/instances_${split}.json`],
  ]);
  const weights = ['--weights', 'backbone.pth', '--save_dir', 'run'];
  await scrl('detect', 'train', '--config', 'tiny.yaml', ...sets, ...weights);
  await scrl('convert', CHECKPOINT, 'model_final.pkl');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('loses no bit of a tensor on the way to Detectron2 and back', async () => {
  await scrl('convert', 'model_final.pkl', 'back.pth', '--to', 'detectron2');
  const before = await tensorsOf(CHECKPOINT);
  expect(before.size).toBeGreaterThan(100);
  for (const name of ['model_final.pkl', 'back.pth']) expect(await tensorsOf(name)).toEqual(before);
});

/** Type, shape and bytes of each tensor, by name. */
async function tensorsOf(name: string): Promise<Map<string, string>> {
  const { tensors } = await loadDetector(at(name), {}, SILENT);
  const found = new Map<string, string>();
  for (const [key, source] of [...tensors].sort()) {
    const tensor = await loadTensor(source);
    found.set(key, `${tensor.dtype} [${tensor.shape}] ${Buffer.from(bytesOf(tensor)).toString('base64')}`);
  }
  return found;
}

it('detects the same in PyTorch, masks included', async () => {
  const pixels = padImages(await Promise.all(SIZES.map((size, i) => picture(i, size))));
  const batch = {
    ...pixels,
    outputs: [
      { height: 128, width: 96 },
      { height: 123, width: 211 },
    ],
  };
  const { found, anchorSizes } = await detect(batch);
  const theirs = await detectInPython(batch, anchorSizes);
  expect(theirs).toHaveLength(found.length);
  for (const [n, ours] of found.entries()) compareDetections(ours, theirs[n]);
});

async function picture(index: number, { height, width }: { height: number; width: number }) {
  const path = at(`data/val/00000${index + 1}.jpg`);
  const info = await probeImage(path);
  const whole = { left: 0, top: 0, width: info.width, height: info.height };
  return resizeBilinear((await decodePart(path, info, 1, whole)).image, width, height);
}

async function detect(batch: DetectBatch) {
  const opened = await openDetector(at(CHECKPOINT), undefined, SILENT);
  const runtime = await openRuntime();
  try {
    const detector = await buildDetector(runtime, opened);
    const { candidates: candidatesPerLevel, ...limits } = LIMITS;
    const step = compileDetectStep(runtime, detector, { images: SIZES.length, candidatesPerLevel });
    const { anchors, options } = opened;
    const found = await runDetectStep(step, batch, {
      ...limits,
      classes: options.classes,
      anchors,
      candidatesPerLevel,
    });
    return { found, anchorSizes: anchors.sizes };
  } finally {
    runtime.close();
  }
}

async function detectInPython(batch: DetectBatch, anchorSizes: readonly number[]) {
  const sides = (sizes: DetectBatch['outputs']) => sizes.map(({ height, width }) => [height, width]);
  await writeFile(at('images.bin'), batch.images);
  const plan = {
    images: at('images.bin'),
    shape: [SIZES.length, batch.height, batch.width],
    sizes: sides(SIZES),
    outputs: sides(batch.outputs),
    anchor_sizes: anchorSizes,
    weights_style: 'torch',
    pre_nms: LIMITS.candidates,
    post_nms: LIMITS.proposals,
    score_threshold: LIMITS.scoreThreshold,
    keep: LIMITS.keep,
  };
  await writeFile(at('plan.json'), JSON.stringify(plan));
  const script = fileURLToPath(new URL('./python/detector.py', import.meta.url));
  const args = [script, at('model_final.pkl'), at('plan.json')];
  const { stdout } = await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', args, {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as TheirDetections[];
}

/**
 * Boxes within 0.001 pixels, scores within 1e-5, the same classes; masks within one pixel in a thousand, or one. That is a
 * hundred times what float32 differs: heads that have hardly learnt move boxes so little that wider limits hide faults.
 */
function compareDetections(
  { boxes, scores, classes, masks }: ImageDetections,
  theirs: TheirDetections,
): void {
  expect(scores.length).toBeGreaterThan(5);
  expect([...classes]).toEqual(theirs.map((entry) => entry.class));
  for (const [i, { box, score, counts }] of theirs.entries()) {
    expect(Math.abs(scores[i] - score), `score ${i}`).toBeLessThan(1e-5);
    const differences = box.map((edge, j) => Math.abs(boxes[4 * i + j] - edge));
    expect(Math.max(...differences), `box ${i}`).toBeLessThan(1e-3);
    const mask = masks?.[i];
    if (mask === undefined) throw new Error(`detection ${i} has no mask`);
    compareMasks(mask, Uint32Array.from(counts), i);
  }
}

function compareMasks(mask: Rle, counts: Uint32Array, i: number): void {
  const [ours, theirs] = [decode(mask), decode({ ...mask, counts })];
  const area = theirs.reduce((sum, value) => sum + value, 0);
  const differing = ours.reduce((count, value, at) => count + (value === theirs[at] ? 0 : 1), 0);
  expect(differing, `mask ${i} of ${area} pixels`).toBeLessThanOrEqual(Math.max(1, area / 1000));
}
