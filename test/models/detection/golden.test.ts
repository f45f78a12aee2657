/**
 * The training step and inference against Detectron2 in float64 (test/golden/detection): four steps of two images, then
 * detections. Choices are equal; numbers differ by at most three times what PyTorch differs by in float32.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variableValue } from '../../../src/checkpoint/module-state.js';
import { hostTensor } from '../../../src/core/array.js';
import { padImages } from '../../../src/data/pad-images.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import { anchorTargets } from '../../../src/models/detection/anchor-targets.js';
import { AnchorGrid } from '../../../src/models/detection/anchors.js';
import { type ImageDetections, runDetectStep } from '../../../src/models/detection/detect-host.js';
import { compileDetectStep } from '../../../src/models/detection/detect-step.js';
import { MASK_SIDE } from '../../../src/models/detection/mask-head.js';
import { maskTargets } from '../../../src/models/detection/mask-targets.js';
import { Detector } from '../../../src/models/detection/networks.js';
import type { PixelBatch } from '../../../src/models/detection/pixels.js';
import { runTrainStep, type TrainBatch, type TrainResult } from '../../../src/models/detection/train-host.js';
import { compileTrainStep, type LossName } from '../../../src/models/detection/train-step.js';
import type { StateEntry } from '../../../src/nn/module-store.js';
import { decode } from '../../../src/pycocotools/mask/rle.js';
import { detectorRules, matchRules } from '../../../src/solver/param-groups.js';
import { Sgd } from '../../../src/solver/sgd.js';
import { openRuntime } from '../../helpers/engine.js';
import { GOLDEN, goldenImage, goldenObjects, goldenRank, goldenTensor } from './golden-inputs.js';
import { goldenOptions, writeGoldenWeights } from './golden-network.js';

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

/**
 * The largest relative differences of PyTorch's float32 runs over two seeds: losses of each step, norm of any gradient,
 * distance that a tensor has moved, score of a detection. The norm of all gradients is held to `gradient` too:
 * one ReLU whose input is within rounding of 0 moves it by 2e-4, here as in PyTorch, at another step.
 */
const NOISE = {
  faster_frozen: { losses: [2e-7, 4e-6, 3e-6, 4e-7], gradient: 7e-5, moved: 3e-4, score: 2e-6 },
  mask_frozen: { losses: [2e-7, 3e-6, 3e-6, 8e-7], gradient: 3e-4, moved: 5e-4, score: 2e-6 },
  mask_syncbn: { losses: [4e-7, 2e-6, 1.4e-6, 3e-6], gradient: 2e-3, moved: 1.4e-3, score: 4e-6 },
  mask_4conv1fc: { losses: [4e-7, 7e-7, 3e-6, 2e-5], gradient: 3e-3, moved: 1.2e-3, score: 2e-6 },
} as const;

/** Pixels of a box, the largest of all cases: how far off a step before was shows here. */
const BOX_NOISE = 1e-3;

type Case = keyof typeof NOISE;

/** Both images of a step as a loader hands them over. */
function pixelsOf(step: number): PixelBatch {
  return padImages(GOLDEN.images.map((size, n) => ({ ...size, data: goldenImage(SEED, step, n) })));
}

function batchOf(step: number): TrainBatch {
  const pixels = pixelsOf(step);
  const grid = new AnchorGrid(pixels.height, pixels.width);
  const targets = GOLDEN.images.map((_, n) => {
    const { boxes, classes, polygons } = goldenObjects(SEED, step, n);
    const rank = goldenRank(SEED, step, n, 'anchors');
    return {
      objects: { boxes, classes, outlines: polygons.map((parts) => ({ polygons: parts })) },
      anchors: anchorTargets(boxes, grid, rank, { size: GOLDEN.anchorSample }),
      rank: goldenRank(SEED, step, n, 'proposals'),
    };
  });
  return { ...pixels, targets };
}

/** A detector with the golden weights, and how it is trained. */
async function openDetector(runtime: Runtime, name: Case) {
  const detector = new Detector(runtime, goldenOptions(name));
  await writeGoldenWeights(detector.store);
  const described = detector.store.parameters().map(({ key, variable, role }) => {
    if (role === undefined) throw new Error(`${key} is no parameter`);
    return { module: 'detector', name: key, role, variable };
  });
  const matches = matchRules(described, detectorRules({ decayBiases: true }));
  const rules = matches.map(({ parameter, rule }) => ({ variable: parameter.variable, rule: rule.update }));
  const solver = new Sgd(runtime, rules, {
    momentum: 0.9,
    nesterov: false,
    weightDecay: name === 'mask_4conv1fc' ? 0.05 : 1e-4,
  });
  await runtime.clear(solver.buffers);
  return { detector, solver };
}

const start = ({ key, shape }: StateEntry) => hostTensor('float32', shape, goldenTensor(key, shape));

function expectNear(actual: number, expected: number, noise: number, what: string): void {
  const difference = Math.abs(actual / expected - 1);
  expect(difference, `${what}: ${actual}, expected ${expected}`).toBeLessThanOrEqual(3 * noise);
}

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
  name: Case,
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

describe.each(Object.keys(NOISE) as Case[])('%s', (name) => {
  const golden = JSON.parse(
    readFileSync(new URL(`../../golden/detection/${name}_seed${SEED}.json`, import.meta.url), 'utf8'),
  ) as GoldenRun;
  const noise = NOISE[name];
  let runtime: Runtime;
  let detector: Detector;
  beforeAll(async () => {
    runtime = await openRuntime();
  });
  afterAll(() => runtime.close());

  it('trains as Detectron2 for four steps', async () => {
    const opened = await openDetector(runtime, name);
    detector = opened.detector;
    const { before: candidatesPerLevel, after: proposals } = GOLDEN.proposals.train;
    const step = compileTrainStep(runtime, detector, opened.solver, {
      images: 2,
      candidatesPerLevel,
      anchorsPerImage: GOLDEN.anchorSample.count,
      probes: Object.keys(golden.steps[0].grad_norm),
    });
    const { classes, masks } = detector.options;
    const options = { classes, masks, candidatesPerLevel, proposals, sample: GOLDEN.roiSample };
    for (const [s, expected] of golden.steps.entries()) {
      const batch = batchOf(s);
      const result = await runTrainStep(step, batch, expected.lr, options);
      compareChoices(batch, result, expected);
      compareNumbers(result, expected, s, name);
      await compareWeights(detector, expected, noise.moved, s > 0);
    }
  });

  it('then detects what Detectron2 detects', async () => {
    const { before: candidatesPerLevel, after: proposals } = GOLDEN.proposals.test;
    const step = compileDetectStep(runtime, detector, { images: 2, candidatesPerLevel });
    const batch = { ...pixelsOf(4), outputs: GOLDEN.outputs };
    const options = {
      classes: detector.options.classes,
      candidatesPerLevel,
      proposals,
      ...GOLDEN.detections,
    };
    const found = await runDetectStep(step, batch, options);
    for (const [n, expected] of golden.detections.entries())
      compareDetections(found[n], expected, noise.score);
  });
});
