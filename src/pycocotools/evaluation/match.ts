/**
 * Greedy matching of the detections of one image and category with its ground truths, for all thresholds and one range of
 * areas (`COCOeval.evaluateImg`). Kept as it is, rules that look odd included: a detection takes the best truth that is
 * still free and never gives it back; of equal overlaps the later truth wins; crowds and ignored truths come last and,
 * once a real truth is found, are not looked at.
 */

import type { Instances } from './instances.js';

/** Room for the result of one matching; grows as needed. [T, D] and [T, G], row-major. */
export class Matching {
  /** Position in the group of the truth + 1, 0 where there is none. */
  dtMatch = new Int32Array(0);
  dtIgnore = new Uint8Array(0);
  /** Position in the group of the detection + 1, in the order of `gtOrder`. */
  gtMatch = new Int32Array(0);
  gtIgnore = new Uint8Array(0);
  /** Ground truths in the order in which they are tried: positions in the group. */
  gtOrder = new Int32Array(0);

  reserve(thresholds: number, detections: number, truths: number): void {
    if (this.dtMatch.length < thresholds * detections) {
      this.dtMatch = new Int32Array(2 * thresholds * detections);
      this.dtIgnore = new Uint8Array(2 * thresholds * detections);
    }
    if (this.gtOrder.length < truths || this.gtMatch.length < thresholds * truths) {
      this.gtMatch = new Int32Array(2 * thresholds * truths);
      this.gtIgnore = new Uint8Array(2 * truths);
      this.gtOrder = new Int32Array(2 * truths);
    }
  }
}

/** One image and category. */
export interface Group {
  /** Positions in the instances, by descending score. */
  readonly detections: Int32Array;
  /** Positions in the instances, in file order. */
  readonly truths: Int32Array;
  /** [detections, truths] */
  readonly ious: Float64Array;
}

export interface MatchOptions {
  readonly thresholds: readonly number[];
  /** Square pixels, both ends included. */
  readonly areaRange: readonly [number, number];
  /** pycocotools takes a match with a truth of id 0 for none. */
  readonly idZeroIsNone: boolean;
}

/** @returns the number of truths that are not ignored */
export function match(
  { detections, truths, ious }: Group,
  dt: Instances,
  gt: Instances,
  { thresholds, areaRange: [low, high], idZeroIsNone }: MatchOptions,
  out: Matching,
): number {
  const [D, G] = [detections.length, truths.length];
  out.reserve(thresholds.length, D, G);
  const { dtMatch, dtIgnore, gtMatch, gtIgnore, gtOrder } = out;

  let counted = 0;
  for (let pass = 0, at = 0; pass < 2; pass++) {
    for (let g = 0; g < G; g++) {
      const area = gt.area[truths[g]];
      const ignored = gt.ignore[truths[g]] === 1 || area < low || area > high ? 1 : 0;
      if (ignored !== pass) continue;
      gtIgnore[at] = pass;
      gtOrder[at++] = g;
      if (pass === 0) counted++;
    }
  }
  dtMatch.fill(0, 0, thresholds.length * D);
  dtIgnore.fill(0, 0, thresholds.length * D);
  gtMatch.fill(0, 0, thresholds.length * G);

  for (let t = 0; t < thresholds.length && G > 0; t++) {
    const threshold = Math.min(thresholds[t], 1 - 1e-10);
    for (let d = 0; d < D; d++) {
      let best = threshold;
      let found = -1;
      for (let k = 0; k < G; k++) {
        const g = gtOrder[k];
        if (gtMatch[t * G + k] > 0 && gt.crowd[truths[g]] === 0) continue;
        if (found > -1 && gtIgnore[found] === 0 && gtIgnore[k] === 1) break;
        const iou = ious[d * G + g];
        if (iou < best) continue;
        best = iou;
        found = k;
      }
      if (found === -1) continue;
      const truth = truths[gtOrder[found]];
      dtIgnore[t * D + d] = gtIgnore[found];
      gtMatch[t * G + found] = d + 1;
      dtMatch[t * D + d] = idZeroIsNone && gt.id[truth] === 0 ? 0 : gtOrder[found] + 1;
    }
  }
  for (let d = 0; d < D; d++) {
    const area = dt.area[detections[d]];
    if (area >= low && area <= high && dt.ignore[detections[d]] === 0) continue;
    for (let t = 0; t < thresholds.length; t++) if (dtMatch[t * D + d] === 0) dtIgnore[t * D + d] = 1;
  }
  return counted;
}
