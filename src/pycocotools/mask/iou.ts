/** Intersection over union of boxes and of run-length masks, with COCO's rule for crowds. */

import { area, type Box, type Rle, toBox } from './rle.js';

/**
 * IoU of two boxes; with a crowd the intersection over the detection's area.
 *
 * @param boxes flat [x, y, width, height] arrays, and the positions of the two in them
 */
export function boxIou(
  detections: ArrayLike<number>,
  d: number,
  truths: ArrayLike<number>,
  g: number,
  crowd: boolean,
): number {
  const dx = detections[d];
  const dy = detections[d + 1];
  const dw = detections[d + 2];
  const dh = detections[d + 3];
  const gx = truths[g];
  const gy = truths[g + 1];
  const gw = truths[g + 2];
  const gh = truths[g + 3];
  const w = Math.min(dw + dx, gw + gx) - Math.max(dx, gx);
  if (!(w > 0)) return 0;
  const h = Math.min(dh + dy, gh + gy) - Math.max(dy, gy);
  if (!(h > 0)) return 0;
  const intersection = w * h;
  const union = crowd ? dw * dh : dw * dh + gw * gh - intersection;
  return intersection / union;
}

/** IoU of two masks; with a crowd over the detection's area; -1 when their sizes differ. */
export function runIou(detection: Rle, truth: Rle, crowd: boolean): number {
  if (detection.height !== truth.height || detection.width !== truth.width) return -1;
  return iouOfAreas(intersection(detection, truth), area(detection), area(truth), crowd);
}

/** From pixels to IoU. */
function iouOfAreas(common: number, detection: number, truth: number, crowd: boolean): number {
  if (common === 0) return 0;
  return common / (crowd ? detection : detection + truth - common);
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
  if (boxIou(detection.box, 0, truth.box, 0, crowd) === 0) return 0;
  if (d.height !== g.height || d.width !== g.width) return -1;
  return iouOfAreas(intersection(d, g), detection.area, truth.area, crowd);
}
