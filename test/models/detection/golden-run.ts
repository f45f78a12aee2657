/**
 * The runs of the detectors' golden data, through the code that trains and detects: four steps of two images, then
 * inference on two more. What comes out is compared with Detectron2's numbers, and with PyTorch on seeds of one's own.
 */

import { expect } from 'vitest';
import { padImages } from '../../../src/data/pad-images.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import { anchorTargets } from '../../../src/models/detection/anchor-targets.js';
import { AnchorGrid } from '../../../src/models/detection/anchors.js';
import { type ImageDetections, runDetectStep } from '../../../src/models/detection/detect-host.js';
import { compileDetectStep } from '../../../src/models/detection/detect-step.js';
import { Detector } from '../../../src/models/detection/networks.js';
import type { PixelBatch } from '../../../src/models/detection/pixels.js';
import { runTrainStep, type TrainBatch, type TrainResult } from '../../../src/models/detection/train-host.js';
import { compileTrainStep } from '../../../src/models/detection/train-step.js';
import {
  detectorRules,
  matchRules,
  solverParameters,
  storedParameters,
} from '../../../src/solver/param-groups.js';
import { Sgd } from '../../../src/solver/sgd.js';
import { GOLDEN, goldenImage, goldenObjects, goldenRank } from './golden-inputs.js';
import { type GoldenCase, goldenOptions, type OtherNetwork, writeGoldenWeights } from './golden-network.js';

/**
 * The largest relative differences of PyTorch's float32 runs over two seeds: losses of each step, norm of any gradient,
 * distance that a tensor has moved, score of a detection. The norm of all gradients is held to `gradient` too:
 * one ReLU whose input is within rounding of 0 moves it by 2e-4, here as in PyTorch, at another step.
 */
export const NOISE = {
  faster_frozen: { losses: [2e-7, 4e-6, 3e-6, 4e-7], gradient: 7e-5, moved: 3e-4, score: 2e-6 },
  mask_frozen: { losses: [2e-7, 3e-6, 3e-6, 8e-7], gradient: 3e-4, moved: 5e-4, score: 2e-6 },
  mask_syncbn: { losses: [4e-7, 2e-6, 1.4e-6, 3e-6], gradient: 2e-3, moved: 1.4e-3, score: 4e-6 },
  mask_4conv1fc: { losses: [4e-7, 7e-7, 3e-6, 2e-5], gradient: 3e-3, moved: 1.2e-3, score: 2e-6 },
} as const;

/** Pixels of a box, the largest of all cases: how far off a step before was shows here. */
export const BOX_NOISE = 1e-3;

export const GOLDEN_CASES = Object.keys(NOISE) as GoldenCase[];

/** Asks that a number is as near as three times the noise. */
export function expectNear(actual: number, expected: number, noise: number, what: string): void {
  const difference = Math.abs(actual / expected - 1);
  expect(difference, `${what}: ${actual}, expected ${expected}`).toBeLessThanOrEqual(3 * noise);
}

/** Both images of a step as a loader hands them over. */
export function goldenPixels(seed: number, step: number): PixelBatch {
  return padImages(GOLDEN.images.map((size, n) => ({ ...size, data: goldenImage(seed, step, n) })));
}

export function goldenTrainBatch(seed: number, step: number): TrainBatch {
  const pixels = goldenPixels(seed, step);
  const grid = new AnchorGrid(pixels.height, pixels.width);
  const targets = GOLDEN.images.map((_, n) => {
    const { boxes, classes, polygons } = goldenObjects(seed, step, n);
    const rank = goldenRank(seed, step, n, 'anchors');
    return {
      objects: { boxes, classes, outlines: polygons.map((parts) => ({ polygons: parts })) },
      anchors: anchorTargets(boxes, grid, rank, { size: GOLDEN.anchorSample }),
      rank: goldenRank(seed, step, n, 'proposals'),
    };
  });
  return { ...pixels, targets };
}

/** How much the weights of a case decay. */
export function goldenDecay(name: GoldenCase): number {
  return name === 'mask_4conv1fc' ? 0.05 : 1e-4;
}

export interface GoldenDetector {
  readonly detector: Detector;
  train(batch: TrainBatch, rate: number): Promise<TrainResult>;
  /** @returns detections at the output sizes of the golden runs */
  detect(pixels: PixelBatch): Promise<ImageDetections[]>;
}

/**
 * @param probes parameters whose gradient's norm is an output of training
 * @param other what the network has else than that of the golden run
 */
export async function openGoldenDetector(
  runtime: Runtime,
  name: GoldenCase,
  probes: readonly string[],
  other?: OtherNetwork,
): Promise<GoldenDetector> {
  const detector = new Detector(runtime, goldenOptions(name, other));
  await writeGoldenWeights(detector.store);
  const { train } = GOLDEN.proposals;
  const step = compileTrainStep(runtime, detector, await openSolver(runtime, detector, goldenDecay(name)), {
    images: GOLDEN.images.length,
    candidatesPerLevel: train.before,
    anchorsPerImage: GOLDEN.anchorSample.count,
    probes,
  });
  const { classes, masks } = detector.options;
  const options = {
    classes,
    masks,
    candidatesPerLevel: train.before,
    proposals: train.after,
    sample: GOLDEN.roiSample,
  };
  return {
    detector,
    train: (batch, rate) => runTrainStep(step, batch, rate, options),
    detect: (pixels) => detectGolden(runtime, detector, pixels),
  };
}

async function openSolver(runtime: Runtime, detector: Detector, weightDecay: number): Promise<Sgd> {
  const matches = matchRules(storedParameters([detector.store]), detectorRules({ decayBiases: true }));
  const solver = new Sgd(runtime, solverParameters(matches), { momentum: 0.9, nesterov: false, weightDecay });
  await runtime.clear(solver.buffers);
  return solver;
}

/** Inference with the settings of the golden runs, which are not the defaults. */
function detectGolden(runtime: Runtime, detector: Detector, pixels: PixelBatch): Promise<ImageDetections[]> {
  const { before: candidatesPerLevel, after: proposals } = GOLDEN.proposals.test;
  const step = compileDetectStep(runtime, detector, { images: GOLDEN.images.length, candidatesPerLevel });
  const options = {
    classes: detector.options.classes,
    candidatesPerLevel,
    proposals,
    ...GOLDEN.detections,
  };
  return runDetectStep(step, { ...pixels, outputs: GOLDEN.outputs }, options);
}
