/** Squares cut out of images, as the pictures of `scrl show` need them, and where a point of the image lies in one. */

import { UserError } from '../../core/errors.js';
import { RandomStream } from '../../core/rng.js';
import type { ImageTable } from '../../data/image-table.js';
import { decodeCrops } from '../../image/crops.js';
import { type Crop, ImageError } from '../../image/types.js';
import { drawCrop } from '../../views/crop.js';

export type Point = readonly [x: number, y: number];

/** Share of the picture's area in an augmented view. */
const VIEW_SCALE = [0.3, 0.7] as const;

/** The largest square, as near to the middle as it can be while it holds the point. */
export function squareAround(width: number, height: number, [x, y]: Point): Crop {
  const side = Math.min(width, height);
  return {
    left: nearestStart((width - side) / 2, x, side, width),
    top: nearestStart((height - side) / 2, y, side, height),
    width: side,
    height: side,
    flipped: false,
  };
}

/** The first pixel nearest to `wanted` of a window that holds `place`. */
function nearestStart(wanted: number, place: number, length: number, whole: number): number {
  const lowest = Math.max(0, Math.ceil(place - length));
  const highest = Math.min(whole - length, Math.floor(place));
  return Math.min(Math.max(Math.floor(wanted), lowest), highest);
}

/** A window of the size and shape that pretraining draws, anywhere around the point; mirrored or not. */
export function viewAround(seed: number, width: number, height: number, [x, y]: Point): Crop {
  const stream = new RandomStream(seed, 'view to match');
  const size = drawCrop(stream, width, height, VIEW_SCALE);
  const start = (place: number, length: number, whole: number) =>
    stream.integer(Math.max(0, Math.ceil(place - length)), Math.min(whole - length, Math.floor(place)) + 1);
  const left = start(x, size.width, width);
  const top = start(y, size.height, height);
  return { left, top, width: size.width, height: size.height, flipped: stream.chance(0.5) };
}

/** A point of the image in pixels of a view of this side. */
export function inView([x, y]: Point, { left, top, width, height, flipped }: Crop, side: number): Point {
  const u = ((x - left) * side) / width;
  return [flipped ? side - u : u, ((y - top) * side) / height];
}

/**
 * @param image index into the table
 * @returns [side, side, 3] for each window
 * @throws UserError when the file cannot be decoded
 */
export async function renderViews(
  images: ImageTable,
  image: number,
  crops: readonly Crop[],
  side: number,
): Promise<Uint8Array[]> {
  try {
    return await decodeCrops(images.path(image), images.info(image), crops, side, { headroom: 2 });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new UserError(error.reason, { where: error.path, remedy: 'give another image', cause: error });
  }
}
