/**
 * The training step and inference against Detectron2 in float64 (test/golden/detection): four steps of two images, then
 * detections. Choices are equal; numbers differ by at most three times what PyTorch differs by in float32.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variableValue } from '../../../src/checkpoint/module-state.js';
import { hostTensor } from '../../../src/core/array.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import type { ImageDetections } from '../../../src/models/detection/detect-host.js';
import { MASK_SIDE } from '../../../src/models/detection/mask-head.js';
import { maskTargets } from '../../../src/models/detection/mask-targets.js';
import type { Detector } from '../../../src/models/detection/networks.js';
import type { TrainBatch, TrainResult } from '../../../src/models/detection/train-host.js';
import type { LossName } from '../../../src/models/detection/train-step.js';
import type { StateEntry } from '../../../src/nn/module-store.js';
import { decode } from '../../../src/pycocotools/mask/rle.js';
import { openRuntime } from '../../helpers/engine.js';
import { goldenTensor } from './golden-inputs.js';
import type { GoldenCase } from './golden-network.js';
import {
  BOX_NOISE,
  expectNear,
  GOLDEN_CASES,
  type GoldenDetector,
  goldenPixels,
  goldenTrainBatch,
  NOISE,
  openGoldenDetector,
} from './golden-run.js';

type Choice = 'anchor_id_sum' | 'proposal_id_sum' | 'roi_id_sum';

interface GoldenStep {
  lr: number;
  losses: Record<LossName, number>;
  total: number;
  /** Of each image. */
  discrete: Record<Choice, number[]> & { mask_target_ones: number[][] | null };
  fg_anchors: number[];
  fg_proposals: number[];
  bg_proposals: number[];
  proposals: number[];
  grad_norm: Record<string, number>;
  grad_norm_all: number;
  after: Record<string, { abs_sum: number; moved: number }>;
}

interface GoldenDetections {
  scores: number[];
  classes: number[];
  boxes: number[][];
  mask_areas?: number[];
}

interface GoldenRun {
  steps: GoldenStep[];
  detections: GoldenDetections[];
}

const SEED = 1;

const start = ({ key, shape }: StateEntry) => hostTensor('float32', shape, goldenTensor(key, shape));

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

function compareChoices({ targets: images }: TrainBatch, { regions }: TrainResult, golden: GoldenStep): void {
  const { discrete } = golden;
  const anchors = images.map(({ anchors: { positives, negatives } }) => sum(positives) + sum(negatives));
  expect(anchors).toEqual(discrete.anchor_id_sum);
  expect(images.map(({ anchors }) => anchors.positives.length)).toEqual(golden.fg_anchors);
  expect(regions.map(({ proposals }) => proposals.length)).toEqual(golden.proposals);
  expect(regions.map(({ proposals }) => sum(proposals))).toEqual(discrete.proposal_id_sum);
  expect(regions.map(({ foreground }) => foreground)).toEqual(golden.fg_proposals);
  expect(regions.map(({ ids, foreground }) => ids.length - foreground)).toEqual(golden.bg_proposals);
  expect(regions.map(({ ids }) => sum(ids))).toEqual(discrete.roi_id_sum);
  if (!discrete.mask_target_ones) return;
  const ones = regions.map(({ boxes, objects }, n) => {
    const targets = maskTargets(images[n].objects.outlines ?? [], boxes, objects, MASK_SIDE);
    return Array.from(objects, (_, f) => sum(targets.subarray(f * MASK_SIDE ** 2, (f + 1) * MASK_SIDE ** 2)));
  });
  expect(ones).toEqual(discrete.mask_target_ones);
}

function compareNumbers(
  { losses, total, outputs }: TrainResult,
  golden: GoldenStep,
  step: number,
  name: GoldenCase,
): void {
  const noise = NOISE[name];
  expect(Object.keys(losses).sort()).toEqual(Object.keys(golden.losses).sort());
  for (const [loss, value] of Object.entries(losses)) {
    expectNear(value, golden.losses[loss as LossName], noise.losses[step], loss);
  }
  expectNear(total, golden.total, noise.losses[step], 'total');
  for (const [key, expected] of Object.entries(golden.grad_norm)) {
    expectNear(Number(outputs[`gradient_norm/${key}`][0]), expected, noise.gradient, key);
  }
  expectNear(Number(outputs.gradient_norm[0]), golden.grad_norm_all, noise.gradient, 'all gradients');
}

/** @param moves false where the rate is so small that float32 does not see the step */
async function compareWeights(
  detector: Detector,
  golden: GoldenStep,
  noise: number,
  moves: boolean,
): Promise<void> {
  for (const [key, expected] of Object.entries(golden.after)) {
    const entry = detector.store.entries.find((other) => other.key === key);
    if (entry === undefined) throw new Error(`no ${key}`);
    const now = (await detector.store.runtime.read(entry.variable)) as Float32Array;
    const [, before] = variableValue(entry.variable, entry.layout, start(entry));
    expectNear(sum(now.map(Math.abs)), expected.abs_sum, 1e-6, `sum of |${key}|`);
    const moved = Math.sqrt(now.reduce((square, value, i) => square + (value - Number(before[i])) ** 2, 0));
    if (moves) expectNear(moved, expected.moved, noise, `${key} has moved`);
  }
}

function compareDetections(found: ImageDetections, golden: GoldenDetections, score: number) {
  expect([...found.classes]).toEqual(golden.classes);
  for (const [i, expected] of golden.scores.entries()) {
    expect(Math.abs(found.scores[i] - expected), `score ${i}`).toBeLessThanOrEqual(3 * score);
    const differences = golden.boxes[i].map((edge, j) => Math.abs(found.boxes[4 * i + j] - edge));
    expect(Math.max(...differences), `box ${i}`).toBeLessThanOrEqual(3 * BOX_NOISE);
  }
  for (const [i, expected] of (golden.mask_areas ?? []).entries()) {
    const area = sum(decode(found.masks?.[i] ?? { height: 0, width: 0, counts: new Uint32Array() }));
    expect(Math.abs(area - expected), `mask ${i}: ${area}`).toBeLessThanOrEqual(Math.max(1, expected / 1000));
  }
}

describe.each(GOLDEN_CASES)('%s', (name) => {
  const golden = JSON.parse(
    readFileSync(new URL(`../../golden/detection/${name}_seed${SEED}.json`, import.meta.url), 'utf8'),
  ) as GoldenRun;
  const noise = NOISE[name];
  let runtime: Runtime;
  let run: GoldenDetector;
  beforeAll(async () => {
    runtime = await openRuntime();
  });
  afterAll(() => runtime.close());

  it('trains as Detectron2 for four steps', async () => {
    run = await openGoldenDetector(runtime, name, Object.keys(golden.steps[0].grad_norm));
    for (const [s, expected] of golden.steps.entries()) {
      const batch = goldenTrainBatch(SEED, s);
      const result = await run.train(batch, expected.lr);
      compareChoices(batch, result, expected);
      compareNumbers(result, expected, s, name);
      await compareWeights(run.detector, expected, noise.moved, s > 0);
    }
  });

  it('then detects what Detectron2 detects', async () => {
    const found = await run.detect(goldenPixels(SEED, 4));
    for (const [n, expected] of golden.detections.entries())
      compareDetections(found[n], expected, noise.score);
  });
});
