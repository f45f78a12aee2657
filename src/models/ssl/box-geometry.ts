/**
 * What a box of the working grid looks like in either view (SCRL, section 3). A file of its own because it is pure
 * arithmetic without a random draw; `box-sampler.ts` decides which boxes there are. The order of operations is the
 * reference's, in double precision.
 *
 * Coordinates are continuous pixels, x to the right and y down. "Source" means pixels of the original image, "grid"
 * those of the working grid, "view" those of a square view of `side` pixels after resize and flip.
 */

import type { Rectangle } from '../../core/boxes.js';
import type { Crop } from '../../image/types.js';
import type { WorkingGrid } from '../../views/working-grid.js';

/** A box in whole grid pixels, measured from the corner of the overlap. */
export interface GridBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * A box of the grid in pixels of the view that `crop` became. Not clipped: since the grid has whole pixels, the box may
 * reach past the view by up to half a grid pixel.
 */
export function boxInView(box: GridBox, grid: WorkingGrid, crop: Crop, side: number): Rectangle {
  const scaleX = side / crop.width;
  const scaleY = side / crop.height;
  const left = (box.x / grid.scaleX) * scaleX + (grid.overlap.left - crop.left) * scaleX;
  const right = left + (box.width / grid.scaleX) * scaleX;
  const top = (box.y / grid.scaleY) * scaleY + (grid.overlap.top - crop.top) * scaleY;
  const bottom = top + (box.height / grid.scaleY) * scaleY;
  return crop.flipped
    ? { left: side - right, top, right: side - left, bottom }
    : { left, top, right, bottom };
}

/**
 * Moves and resizes a box.
 *
 * @param factors near 1: shift in x and y as a share of width and height, then factors of width and height
 */
export function jitterBox(box: Rectangle, factors: readonly [number, number, number, number]): Rectangle {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const left = box.left + width * (factors[0] - 1);
  const top = box.top + height * (factors[1] - 1);
  return { left, top, right: left + width * factors[2], bottom: top + height * factors[3] };
}
