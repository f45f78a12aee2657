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
  const a = new RunCursor(detection.counts);
  const b = new RunCursor(truth.counts);
  let intersection = 0;
  let union = 0;
  while (a.left > 0 || b.left > 0) {
    const step = a.left === 0 ? b.left : b.left === 0 ? a.left : Math.min(a.left, b.left);
    if (a.inside || b.inside) {
      union += step;
      if (a.inside && b.inside) intersection += step;
    }
    a.advance(step);
    b.advance(step);
  }
  if (intersection === 0) union = 1;
  else if (crowd) union = area(detection);
  return intersection / union;
}

/** Walks over the runs of a mask, past those of no length. After the last one comes nothing, for ever. */
class RunCursor {
  /** Pixels left in the current run; 0 at the end. */
  left: number;
  /** Whether the run is of ones. */
  inside = false;
  readonly #counts: Uint32Array;
  #next = 1;

  constructor(counts: Uint32Array) {
    this.#counts = counts;
    this.left = counts.length > 0 ? counts[0] : 0;
    this.#pastEmpty();
  }

  /** @param step at most `left`, or anything at the end */
  advance(step: number): void {
    if (this.left === 0) return;
    this.left -= step;
    this.#pastEmpty();
  }

  #pastEmpty(): void {
    while (this.left === 0 && this.#next < this.#counts.length) {
      this.left = this.#counts[this.#next++];
      this.inside = !this.inside;
    }
    if (this.left === 0) this.inside = false;
  }
}

/** IoU of two masks; 0 where their boxes do not overlap, -1 when their sizes differ and the boxes overlap. */
export function maskIou(detection: Rle, truth: Rle, crowd: boolean): number {
  return boxIou(toBox(detection), 0, toBox(truth), 0, crowd) > 0 ? runIou(detection, truth, crowd) : 0;
}
