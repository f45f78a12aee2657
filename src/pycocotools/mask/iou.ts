/** Intersection over union of run-length masks, with COCO's rule for crowds. */

import { iouOfAreas, xywhIou } from '../../core/boxes.js';
import { area, type Box, type Rle, toBox } from './rle.js';

/** IoU of two masks; with a crowd over the detection's area; -1 when their sizes differ. */
export function runIou(detection: Rle, truth: Rle, crowd: boolean): number {
  if (detection.height !== truth.height || detection.width !== truth.width) return -1;
  return pixelIou(intersection(detection, truth), area(detection), area(truth), crowd);
}

/** Empty masks have an IoU of 0. */
function pixelIou(common: number, detection: number, truth: number, crowd: boolean): number {
  return common === 0 ? 0 : iouOfAreas(common, detection, truth, crowd);
}

/** Pixels that two masks of the same size have in common. */
function intersection({ counts: a }: Rle, { counts: b }: Rle): number {
  if (a.length < 2 || b.length < 2) return 0;
  let common = 0;
  // The current run of ones of each: from `start` to before `end`.
  let [i, j] = [1, 1];
  let startA = a[0];
  let endA = startA + a[1];
  let startB = b[0];
  let endB = startB + b[1];
  for (;;) {
    const overlap = Math.min(endA, endB) - Math.max(startA, startB);
    if (overlap > 0) common += overlap;
    if (endA < endB) {
      i += 2;
      if (i >= a.length) return common;
      startA = endA + a[i - 1];
      endA = startA + a[i];
    } else {
      j += 2;
      if (j >= b.length) return common;
      startB = endB + b[j - 1];
      endB = startB + b[j];
    }
  }
}

/** A mask with what is needed of it for every comparison. */
export interface MeasuredMask {
  readonly mask: Rle;
  readonly box: Box;
  /** Pixels. */
  readonly area: number;
}

export function measureMask(mask: Rle): MeasuredMask {
  return { mask, box: toBox(mask), area: area(mask) };
}

/** IoU of two masks; 0 where their boxes do not overlap, -1 when their sizes differ and the boxes overlap. */
export function maskIou(detection: MeasuredMask, truth: MeasuredMask, crowd: boolean): number {
  const [d, g] = [detection.mask, truth.mask];
  if (xywhIou(detection.box, 0, truth.box, 0, crowd) === 0) return 0;
  if (d.height !== g.height || d.width !== g.width) return -1;
  return pixelIou(intersection(d, g), detection.area, truth.area, crowd);
}
