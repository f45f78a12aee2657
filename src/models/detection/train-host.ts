/**
 * The host's part of a training step: what is fed, and the answer to the question that the graph asks once it has proposals:
 * which regions the heads are trained on, where their features lie, and what should come out.
 */

import { joined } from '../../core/array.js';
import { RandomStream } from '../../core/rng.js';
import type { Inputs, ShapedArray, Step } from '../../engine/step.js';
import type { ElementArray } from '../../engine/types.js';
import { notFinite } from '../../ops/check-finite.js';
import type { Outline } from '../../pycocotools/mask/outline.js';
import { anchorPatches } from './anchor-patches.js';
import { type AnchorTargets, anchorTargets } from './anchor-targets.js';
import { AnchorGrid, type AnchorOptions } from './anchors.js';
import { BOX_SIDE } from './box-head.js';
import { DivergenceError } from './divergence.js';
import { PROPOSAL_SAMPLE, type Rank, randomRank, type SampleSize } from './label-sampler.js';
import { MASK_POOL_SIDE, MASK_SIDE } from './mask-head.js';
import { maskTargets } from './mask-targets.js';
import { type MatchRule, PROPOSAL_RULE } from './matcher.js';
import { fedPixels, type PixelBatch, sizeOf } from './pixels.js';
import { selectProposals } from './proposals.js';
import { matrixValues } from './region-matrix.js';
import { classPixels, regionRows } from './regions.js';
import { type Objects, type SampledRois, sampleRois } from './roi-sampler.js';
import { candidatesOf } from './rpn-outputs.js';
import { type LossName, REGIONS } from './train-step.js';

/** What is to be found in an image; outlines for Mask R-CNN only. */
export interface TrainObjects extends Objects {
  /** [G] in pixels of the resized image */
  readonly outlines?: readonly Outline[];
}

/** What an image teaches. */
export interface ImageTargets {
  readonly objects: TrainObjects;
  /** The RPN. */
  readonly anchors: AnchorTargets;
  /** Decides which proposals the heads are trained on. */
  readonly rank: Rank;
}

export interface TrainBatch extends PixelBatch {
  /** Of the network; default Detectron2's. */
  readonly anchors?: AnchorOptions;
  /** [N] */
  readonly targets: readonly ImageTargets[];
}

/**
 * Adds to a loader's batch what does not depend on the network; so it can be made while the step before is running. What is
 * sampled depends on the seed and the step only.
 *
 * @param options.anchors of the network; default Detectron2's
 * @param options.rule which of them are objects
 * @param options.size how many an image is trained on
 */
export function trainBatch<B extends PixelBatch & { readonly objects: readonly TrainObjects[] }>(
  batch: B,
  { seed, step, anchors, ...sampling }: TrainBatchOptions,
): B & TrainBatch {
  const shaped = { ...batch, ...(anchors && { anchors }) };
  const grid = gridOf(shaped);
  const targets = batch.objects.map((objects, n) => {
    const ranks = (stage: string) => randomRank(new RandomStream(seed, stage, step, n));
    const learned = anchorTargets(objects.boxes, grid, ranks('sampled anchors'), sampling);
    return { objects, anchors: learned, rank: ranks('sampled proposals') };
  });
  return { ...shaped, targets };
}

export interface TrainBatchOptions {
  readonly seed: number;
  readonly step: number;
  readonly anchors?: AnchorOptions;
  readonly rule?: MatchRule;
  readonly size?: SampleSize;
}

export interface TrainHostOptions {
  /** K */
  readonly classes: number;
  readonly masks: boolean;
  /** As the step was compiled with. */
  readonly candidatesPerLevel: number;
  /** Proposals of an image; Detectron2's POST_NMS_TOPK_TRAIN, default 1000. */
  readonly proposals?: number;
  /** IoU from which on a proposal is a duplicate; default 0.7. */
  readonly proposalNms?: number;
  /** Which regions are objects; default those of an IoU of 0.5. */
  readonly rule?: MatchRule;
  /** Regions that an image is trained on. */
  readonly sample?: SampleSize;
}

/** What the heads were trained on, of one image. */
export interface ImageRegions extends SampledRois {
  /** Anchors of the proposals that the regions were sampled from, best first. */
  readonly proposals: Int32Array;
}

export interface TrainResult {
  readonly losses: Readonly<Partial<Record<LossName, number>>>;
  readonly total: number;
  /** All that the step put out. */
  readonly outputs: Readonly<Record<string, ElementArray>>;
  /** [N] */
  readonly regions: readonly ImageRegions[];
}

/**
 * Runs a step.
 *
 * @throws DivergenceError when a loss or a proposal is not finite; nothing has changed then
 */
export async function runTrainStep(
  step: Step<string, string>,
  batch: TrainBatch,
  rate: number,
  options: TrainHostOptions,
): Promise<TrainResult> {
  const grid = gridOf(batch);
  let regions: ImageRegions[] = [];
  const answer = (question: Readonly<Record<string, ShapedArray>>) => {
    regions = batch.targets.map((_, n) => chooseRegions(question, batch, n, grid, options));
    return answerOf(batch, regions, grid, options);
  };
  try {
    const outputs = await step.run(trainInputs(batch, grid, rate), { answers: { [REGIONS]: answer } });
    const losses = Object.entries(outputs).filter(([name]) => name.startsWith('loss_'));
    return {
      losses: Object.fromEntries(losses.map(([name, [value]]) => [name, Number(value)])),
      total: Number(outputs.total_loss[0]),
      outputs,
      regions,
    };
  } catch (error) {
    const term = notFinite(error);
    throw term === undefined ? error : new DivergenceError(term, 'the loss is not finite', Number.NaN);
  }
}

function gridOf({ height, width, anchors }: Pick<TrainBatch, 'height' | 'width' | 'anchors'>): AnchorGrid {
  return new AnchorGrid(height, width, anchors);
}

function trainInputs(batch: TrainBatch, grid: AnchorGrid, rate: number): Inputs<string> {
  const anchors = batch.targets.map((target) => target.anchors);
  const sampled = anchors.map(({ positives, negatives }) => Int32Array.of(...positives, ...negatives));
  const labels = anchors.flatMap(({ positives, negatives }) => [
    ...new Array<number>(positives.length).fill(1),
    ...new Array<number>(negatives.length).fill(0),
  ]);
  const { rows, kinds } = anchorPatches(sampled, grid);
  const places = kinds.map((kind, s) => s * grid.kinds + kind);
  return {
    ...fedPixels(batch),
    ...matrixValues('anchors', rows),
    rate: Float32Array.of(rate),
    anchors: places,
    anchor_labels: Float32Array.from(labels),
    positive_anchors: places.filter((_, s) => labels[s] === 1),
    anchor_deltas: joined(anchors.map(({ deltas }) => deltas)),
  };
}

function chooseRegions(
  question: Readonly<Record<string, ShapedArray>>,
  batch: TrainBatch,
  n: number,
  grid: AnchorGrid,
  options: TrainHostOptions,
): ImageRegions {
  const { objects, rank } = batch.targets[n];
  const { classes, candidatesPerLevel, proposals: keep = 1000, proposalNms = 0.7 } = options;
  const { rule = PROPOSAL_RULE, sample: size = PROPOSAL_SAMPLE } = options;
  const candidates = candidatesOf(question, n, grid, candidatesPerLevel);
  const proposals = selectProposals(candidates, {
    ...sizeOf(batch, n),
    nmsThreshold: proposalNms,
    keep,
    training: true,
  });
  const rois = sampleRois(proposals, objects, rank, { classes, anchors: grid.count, rule, size });
  return { ...rois, proposals: proposals.ids };
}

function answerOf(
  batch: TrainBatch,
  regions: readonly ImageRegions[],
  grid: AnchorGrid,
  { classes, masks }: TrainHostOptions,
): Record<string, ElementArray> {
  const labels = regions.flatMap((region) => [...region.classes]);
  const foreground = foregroundRows(regions);
  const boxes = regions.map((region) => region.boxes);
  return {
    ...matrixValues('box', regionRows(boxes, grid, BOX_SIDE)),
    classes: Int32Array.from(labels),
    foreground: Int32Array.from(foreground, (row) => row * classes + labels[row]),
    deltas: joined(regions.map(({ deltas }) => deltas)),
    ...(masks && maskAnswer(batch, regions, grid, classes)),
  };
}

/** The rows of all foreground regions among all regions. */
function foregroundRows(regions: readonly ImageRegions[]): number[] {
  let first = 0;
  return regions.flatMap(({ foreground, classes }) => {
    const rows = Array.from({ length: foreground }, (_, i) => first + i);
    first += classes.length;
    return rows;
  });
}

function maskAnswer(
  batch: TrainBatch,
  regions: readonly ImageRegions[],
  grid: AnchorGrid,
  classes: number,
): Record<string, ElementArray> {
  const boxes = regions.map((region) => region.boxes.subarray(0, 4 * region.foreground));
  const labels = regions.flatMap((region) => [...region.classes.subarray(0, region.foreground)]);
  const targets = regions.map(({ objects }, n) => {
    const { outlines } = batch.targets[n].objects;
    if (outlines === undefined) throw new Error(`image ${n} of the batch has no outlines, which masks need`);
    return maskTargets(outlines, boxes[n], objects, MASK_SIDE);
  });
  return {
    ...matrixValues('mask', regionRows(boxes, grid, MASK_POOL_SIDE)),
    mask_pixels: classPixels(labels, classes),
    mask_targets: joined(targets),
  };
}
