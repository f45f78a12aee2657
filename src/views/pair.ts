/**
 * Draws the two views of one picture: window, mirroring and colour operations of each.
 *
 * Each draw comes from a stream of its own, named by purpose and view and keyed by (seed, epoch, image): neither the
 * order of the pictures nor the number of workers nor a resume changes a view, and colours do not depend on how many
 * windows were tried.
 */

import type { Window } from '../core/boxes.js';
import { RandomStream } from '../core/rng.js';
import type { BlurKind } from './blur.js';
import { centredSquare, drawCrop } from './crop.js';
import { type AugmentType, drawPhotometric, type PhotometricDraw } from './photometric-draws.js';
import { workingGrid } from './working-grid.js';

export interface PairOptions {
  /** Default `simclr`. */
  type?: AugmentType;
  /** Lowest and highest share of the picture's area. Default [0.2, 1]. */
  cropScale?: readonly [number, number];
  /** Default `resized`. */
  blur?: BlurKind;
  /** Draw windows again until their common area is larger than `minSize` pixels on the working grid. Off by default. */
  ensureOverlap?: { minSize: number };
}

export interface ViewDraw {
  crop: Window & { flipped: boolean };
  photometric: PhotometricDraw;
}

const OVERLAP_TRIES = 20;
/** Of the evaluation's resized picture, 256, the centre, 224, is shown. */
const EVALUATION_SHARE = 224 / 256;

/**
 * @param image index in the data set; with the epoch it names the streams
 * @param size width and height of the upright picture in pixels
 * @param viewSize side of a view in pixels
 */
export function drawPair(
  seed: number,
  epoch: number,
  image: number,
  size: { width: number; height: number },
  viewSize: number,
  options: PairOptions = {},
): [ViewDraw, ViewDraw] {
  const { type = 'simclr', blur = 'resized' } = options;
  const stream = (purpose: string, view: 0 | 1): RandomStream =>
    new RandomStream(seed, `${purpose} of view ${view + 1}`, epoch, image);
  const crops = drawCrops([stream('crop', 0), stream('crop', 1)], size, viewSize, options);
  const draw = (view: 0 | 1): ViewDraw => ({
    crop: { ...crops[view], flipped: type !== 'none' && stream('flip', view).chance(0.5) },
    photometric: drawPhotometric(stream('colours', view), view, type, blur),
  });
  return [draw(0), draw(1)];
}

/** The last pair is kept when no try overlaps enough: such a picture contributes no boxes, as without the option. */
function drawCrops(
  streams: readonly [RandomStream, RandomStream],
  { width, height }: { width: number; height: number },
  viewSize: number,
  { type = 'simclr', cropScale = [0.2, 1], ensureOverlap }: PairOptions,
): [Window, Window] {
  if (type === 'none') {
    const crop = centredSquare(width, height, EVALUATION_SHARE);
    return [crop, crop];
  }
  for (let tries = 1; ; tries++) {
    const pair: [Window, Window] = [
      drawCrop(streams[0], width, height, cropScale),
      drawCrop(streams[1], width, height, cropScale),
    ];
    if (ensureOverlap === undefined || tries === OVERLAP_TRIES) return pair;
    const grid = workingGrid(...pair, viewSize);
    if (grid && grid.width > ensureOverlap.minSize && grid.height > ensureOverlap.minSize) return pair;
  }
}
