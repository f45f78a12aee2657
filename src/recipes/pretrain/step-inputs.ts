/**
 * What the loader delivers becomes what the compiled step takes: bytes and drawn colours for the photometric stage, and
 * for SCRL the matched boxes as interpolation weights.
 */

import { RandomStream } from '../../core/rng.js';
import type { ViewBatch } from '../../data/loader.js';
import type { Inputs } from '../../engine/step.js';
import {
  type BoxCounters,
  type BoxSamplerOptions,
  type SampledBoxes,
  sampleBoxes,
} from '../../models/ssl/box-sampler.js';
import { featureSide, type ViewStage } from '../../models/ssl/pretrain-step.js';
import { roiAlignWeights } from '../../ops/roi-align-weights.js';
import { type BlurBasis, blurCoefficients } from '../../views/blur.js';
import { augment } from '../../views/photometric.js';
import type { PhotometricDraw } from '../../views/photometric-draws.js';
import { COLOUR_PARAMETERS, colourParameters } from '../../views/photometric-parameters.js';

export type PairBatch = ViewBatch<PhotometricDraw>;

/** The stage of the step that augments bytes in the graph. */
export function photometricStage(basis: BlurBasis): ViewStage {
  return {
    inputs: (images, side) => ({
      images: { type: 'uint8', shape: [2 * images, side, side, 3] },
      colour: { type: 'float32', shape: [2 * images, COLOUR_PARAMETERS] },
      blur: { type: 'float32', shape: [2 * images, basis.count] },
    }),
    views: ({ images, colour, blur }) => augment({ images, colour, blur }, basis),
  };
}

/** Inputs of the photometric stage. */
export function photometricInputs(
  { images, photometric }: Pick<PairBatch, 'images' | 'photometric'>,
  basis: BlurBasis,
): Inputs<string> {
  const colour = new Float32Array(photometric.length * COLOUR_PARAMETERS);
  const blur = new Float32Array(photometric.length * basis.count);
  photometric.forEach((draw, i) => {
    colourParameters(draw, colour, i * COLOUR_PARAMETERS);
    blurCoefficients(basis, draw.blur, blur, i * basis.count);
  });
  return { images, colour, blur };
}

export interface RoiOptions {
  spatialScale: number;
  samplingRatio: number;
  aligned: boolean;
}

/** Draws the boxes of a batch; streams are keyed by (seed, epoch, image). */
export function batchBoxes(
  { crops, indices }: Pick<PairBatch, 'crops' | 'indices'>,
  options: BoxSamplerOptions,
  { seed, epoch }: { seed: number; epoch: number },
): SampledBoxes {
  const stream = (place: number) => new RandomStream(seed, 'boxes', epoch, indices[place]);
  return sampleBoxes({ crops, count: indices.length, options, stream });
}

/** Inputs of SCRL's pooling. */
export function roiInputs(
  { boxes, valid }: SampledBoxes,
  { inputSize }: BoxSamplerOptions,
  roi: RoiOptions,
): Inputs<string> {
  const cells = featureSide(inputSize);
  const weights = roiAlignWeights(boxes, { height: cells, width: cells, ...roi }, valid);
  return { roi_weights: weights, valid: Float32Array.from(valid) };
}

/** Shares and counts of a batch for the metrics. */
export function boxMetrics(counters: BoxCounters, images: number): Record<string, number> {
  return {
    usable_images: counters.usableImages / images,
    boxes: counters.boxes,
    boxes_forced: counters.forced,
    boxes_dropped: counters.dropped,
  };
}
