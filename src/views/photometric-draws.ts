/**
 * Draws the colour operations of one view. Only numbers are drawn here; the operations run batched in the graph.
 *
 * The table is the reference's (SimCLR's operations with BYOL's probabilities for two different views): view 1 is always
 * blurred, view 2 rarely, and only view 2 is solarised. The order of the four jitter operations is part of the draw.
 */

import type { RandomStream } from '../core/rng.js';
import { type BlurDraw, type BlurKind, RESIZED_FACTORS } from './blur.js';

/** `simclr`: crop, flip and colours; `simple`: crop and flip; `none`: the picture as evaluation sees it, twice. */
export type AugmentType = 'simclr' | 'simple' | 'none';
export type JitterOperation = 'brightness' | 'contrast' | 'saturation' | 'hue';

/** The colour operations of one view, in the order in which they are applied. */
export interface PhotometricDraw {
  /** Whether the four operations below are applied at all. */
  jitter: boolean;
  /** Each operation once. */
  order: readonly JitterOperation[];
  /** Factors; 1 changes nothing. */
  brightness: number;
  contrast: number;
  saturation: number;
  /** Shift as a share of the colour circle; 0 changes nothing. */
  hue: number;
  grayscale: boolean;
  blur: BlurDraw;
  /** Whether values from the threshold on are inverted. */
  solarize: boolean;
}

const JITTER = { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 };
const GRAYSCALE_PROBABILITY = 0.2;
const GAUSSIAN_SIGMA = [0.1, 2] as const;
const BY_VIEW = [
  { blur: 1, solarize: 0 },
  { blur: 0.1, solarize: 0.2 },
] as const;

/** The draw that leaves a view as it is. */
export const NO_PHOTOMETRIC: PhotometricDraw = {
  jitter: false,
  order: ['brightness', 'contrast', 'saturation', 'hue'],
  brightness: 1,
  contrast: 1,
  saturation: 1,
  hue: 0,
  grayscale: false,
  blur: { kind: 'none' },
  solarize: false,
};

/**
 * Every value is drawn whether or not it is used, so that a change of one probability leaves the others' draws alone.
 *
 * @param view 0 or 1
 */
export function drawPhotometric(
  stream: RandomStream,
  view: 0 | 1,
  type: AugmentType,
  blurKind: BlurKind,
): PhotometricDraw {
  if (type !== 'simclr') return NO_PHOTOMETRIC;
  const around = (centre: number, spread: number): number => stream.between(centre - spread, centre + spread);
  const jitter = stream.chance(JITTER.probability);
  const order = stream.shuffle([...NO_PHOTOMETRIC.order]);
  const brightness = around(1, JITTER.brightness);
  const contrast = around(1, JITTER.contrast);
  const saturation = around(1, JITTER.saturation);
  const hue = around(0, JITTER.hue);
  const grayscale = stream.chance(GRAYSCALE_PROBABILITY);
  const blurred = stream.chance(BY_VIEW[view].blur);
  const strength = stream.uniform();
  const solarize = stream.chance(BY_VIEW[view].solarize);
  const factors = jitter ? { order, brightness, contrast, saturation, hue } : {};
  const blur: BlurDraw = blurred ? blurOf(blurKind, strength) : { kind: 'none' };
  return { ...NO_PHOTOMETRIC, jitter, ...factors, grayscale, blur, solarize };
}

/** @param strength uniform in [0, 1) */
function blurOf(kind: BlurKind, strength: number): BlurDraw {
  if (kind === 'gaussian') {
    return {
      kind: 'gaussian',
      sigma: GAUSSIAN_SIGMA[0] + strength * (GAUSSIAN_SIGMA[1] - GAUSSIAN_SIGMA[0]),
    };
  }
  if (kind === 'none') return { kind };
  return { kind: 'resized', level: Math.floor(strength * RESIZED_FACTORS.length) };
}
