/**
 * The grid on which matched boxes are drawn (SCRL, section 3): the overlap of two windows at the coarser of their views'
 * scales, for each axis on its own. A side on the grid is therefore a lower bound for the side in both views.
 */

import { overlap, type Rectangle, type Window } from '../core/boxes.js';
import { roundHalfEven } from '../core/round.js';

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

/**
 * @param first, second in source pixels
 * @param side of a view, in pixels
 * @returns undefined when the windows do not overlap
 */
export function workingGrid(first: Window, second: Window, side: number): WorkingGrid | undefined {
  const shared = overlap(first, second);
  if (shared === undefined) return undefined;
  const scaleX = Math.min(side / first.width, side / second.width);
  const scaleY = Math.min(side / first.height, side / second.height);
  return {
    width: roundHalfEven((shared.right - shared.left) * scaleX),
    height: roundHalfEven((shared.bottom - shared.top) * scaleY),
    scaleX,
    scaleY,
    overlap: shared,
  };
}
