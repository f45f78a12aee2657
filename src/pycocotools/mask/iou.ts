/** Intersection over union of boxes and of run-length masks, with COCO's rule for crowds. */

import { area, type Rle, toBox } from './rle.js';

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

/** IoU of two masks of which the boxes overlap; -1 when their sizes differ. */
export function runIou(detection: Rle, truth: Rle, crowd: boolean): number {
  if (detection.height !== truth.height || detection.width !== truth.width) return -1;
  const a = detection.counts;
  const b = truth.counts;
  let leftA = a[0];
  let leftB = b[0];
  let nextA = 1;
  let nextB = 1;
  let inA = false;
  let inB = false;
  let intersection = 0;
  let union = 0;
  let remaining = 1;
  while (remaining > 0) {
    const step = Math.min(leftA, leftB);
    if (inA || inB) {
      union += step;
      if (inA && inB) intersection += step;
    }
    remaining = 0;
    leftA -= step;
    if (leftA === 0 && nextA < a.length) {
      leftA = a[nextA++];
      inA = !inA;
    }
    remaining += leftA;
    leftB -= step;
    if (leftB === 0 && nextB < b.length) {
      leftB = b[nextB++];
      inB = !inB;
    }
    remaining += leftB;
  }
  if (intersection === 0) union = 1;
  else if (crowd) union = area(detection);
  return intersection / union;
}

/** IoU of two masks; 0 where their boxes do not overlap, -1 when their sizes differ and the boxes overlap. */
export function maskIou(detection: Rle, truth: Rle, crowd: boolean): number {
  return boxIou(toBox(detection), 0, toBox(truth), 0, crowd) > 0 ? runIou(detection, truth, crowd) : 0;
}
