/**
 * Where the overlap of two crops is, and what a box inside it looks like in either view (SCRL, section 3).
 *
 * Boxes are drawn on a working grid: the overlap at the coarser of the two views' scales, for each axis on its own.
 * A side on the grid is therefore a lower bound for the side in both views. A file of its own because it is pure
 * arithmetic without a random draw; `box-sampler.ts` decides which boxes there are. The order of operations is the
 * reference's, in double precision.
 *
 * Coordinates are continuous pixels, x to the right and y down. "Source" means pixels of the original image, "grid"
 * those of the working grid, "view" those of a square view of `side` pixels after resize and flip.
 */

import { roundHalfEven } from '../../core/round.js';

/** The window that a view was cut from, in source pixels, and whether the view was mirrored afterwards. */
export interface Crop {
  top: number;
  left: number;
  height: number;
  width: number;
  flipped: boolean;
}

export interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A box in whole grid pixels, measured from the corner of the overlap. */
export interface GridBox {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface WorkingGrid {
  /** Whole grid pixels; may be 0 for a sliver of overlap. */
  width: number;
  height: number;
  /** Grid pixels per source pixel. */
  scaleX: number;
  scaleY: number;
  /** The overlap, in source pixels. */
  overlap: Rectangle;
}

/** The part of the image that both crops show, in source pixels; undefined when there is none. */
export function cropOverlap(first: Crop, second: Crop): Rectangle | undefined {
  const left = Math.max(first.left, second.left);
  const top = Math.max(first.top, second.top);
  const right = Math.min(first.left + first.width, second.left + second.width);
  const bottom = Math.min(first.top + first.height, second.top + second.height);
  return left < right && top < bottom ? { left, top, right, bottom } : undefined;
}

/**
 * The grid on which boxes are drawn.
 *
 * @param side of a view, in pixels
 * @returns undefined when the crops do not overlap
 */
export function workingGrid(first: Crop, second: Crop, side: number): WorkingGrid | undefined {
  const overlap = cropOverlap(first, second);
  if (overlap === undefined) return undefined;
  const scaleX = Math.min(side / first.width, side / second.width);
  const scaleY = Math.min(side / first.height, side / second.height);
  return {
    width: roundHalfEven((overlap.right - overlap.left) * scaleX),
    height: roundHalfEven((overlap.bottom - overlap.top) * scaleY),
    scaleX,
    scaleY,
    overlap,
  };
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

/** The part of a box that lies in [0, side] on both axes. */
export function clipBox({ left, top, right, bottom }: Rectangle, side: number): Rectangle {
  return {
    left: Math.max(left, 0),
    top: Math.max(top, 0),
    right: Math.min(right, side),
    bottom: Math.min(bottom, side),
  };
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

/** Intersection over union, 0 to 1; 0 for boxes that only touch. */
export function intersectionOverUnion(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (area(a) + area(b) - shared);
}

function area({ left, top, right, bottom }: Rectangle): number {
  return (right - left) * (bottom - top);
}
