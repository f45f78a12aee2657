/** How much a detection and a ground truth overlap, by the type of evaluation. Positions are those of the columns. */

import { boxIou, runIou } from '../mask/iou.js';
import { type Rle, toBox } from '../mask/rle.js';
import { pairwiseSum } from './sum.js';

export interface Overlap {
  /** Fills `out` [detections, truths], row-major. */
  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void;
}

/** @param detections, truths flat [count, 4] boxes (x, y, width, height) */
export class BoxOverlap implements Overlap {
  readonly #detections: Float64Array;
  readonly #truths: Float64Array;
  readonly #crowd: Uint8Array;

  constructor(detections: Float64Array, truths: Float64Array, crowd: Uint8Array) {
    this.#detections = detections;
    this.#truths = truths;
    this.#crowd = crowd;
  }

  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void {
    let at = 0;
    for (const d of detections) {
      for (const g of truths) {
        out[at++] = boxIou(this.#detections, 4 * d, this.#truths, 4 * g, this.#crowd[g] === 1);
      }
    }
  }
}

/** Masks, of which only those in groups with both sides are asked for. */
export class MaskOverlap implements Overlap {
  readonly #detections: (position: number) => Rle;
  readonly #truths: (position: number) => Rle;
  readonly #crowd: Uint8Array;

  constructor(detections: (position: number) => Rle, truths: (position: number) => Rle, crowd: Uint8Array) {
    this.#detections = detections;
    this.#truths = truths;
    this.#crowd = crowd;
  }

  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void {
    const gts = Array.from(truths, (g) => this.#truths(g));
    const gtBoxes = gts.map(toBox);
    let at = 0;
    for (const d of detections) {
      const dt = this.#detections(d);
      const box = toBox(dt);
      for (let g = 0; g < gts.length; g++) {
        const crowd = this.#crowd[truths[g]] === 1;
        out[at++] = boxIou(box, 0, gtBoxes[g], 0, crowd) > 0 ? runIou(dt, gts[g], crowd) : 0;
      }
    }
  }
}

/** Object keypoint similarity. Arrays are [x, y, v] * n of each annotation. */
export class KeypointOverlap implements Overlap {
  readonly #variances: number[];

  readonly #detections: (position: number) => readonly number[];
  readonly #truths: (position: number) => readonly number[];
  readonly #boxes: Float64Array;
  readonly #areas: Float64Array;

  constructor(
    sigmas: readonly number[],
    detections: (position: number) => readonly number[],
    truths: (position: number) => readonly number[],
    boxes: Float64Array,
    areas: Float64Array,
  ) {
    this.#detections = detections;
    this.#truths = truths;
    this.#boxes = boxes;
    this.#areas = areas;

    this.#variances = sigmas.map((sigma) => sigma * 2 * (sigma * 2));
  }

  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void {
    const terms = new Float64Array(this.#variances.length);
    let at = 0;
    for (const d of detections) {
      const dt = this.#detections(d);
      for (const g of truths) out[at++] = this.#similarity(dt, g, terms);
    }
  }

  #similarity(dt: readonly number[], g: number, terms: Float64Array): number {
    const gt = this.#truths(g);
    const n = this.#variances.length;
    let labelled = 0;
    for (let k = 0; k < n; k++) if (gt[3 * k + 2] > 0) labelled++;
    const [x, y, w, h] = this.#boxes.subarray(4 * g, 4 * g + 4);
    let count = 0;
    for (let k = 0; k < n; k++) {
      if (labelled > 0 && !(gt[3 * k + 2] > 0)) continue;
      let dx = dt[3 * k] - gt[3 * k];
      let dy = dt[3 * k + 1] - gt[3 * k + 1];
      if (labelled === 0) {
        // Distance from the box, doubled on each side.
        dx = Math.max(0, x - w - dt[3 * k]) + Math.max(0, dt[3 * k] - (x + w * 2));
        dy = Math.max(0, y - h - dt[3 * k + 1]) + Math.max(0, dt[3 * k + 1] - (y + h * 2));
      }
      const e = (dx * dx + dy * dy) / this.#variances[k] / (this.#areas[g] + Number.EPSILON) / 2;
      terms[count++] = Math.exp(-e);
    }
    return pairwiseSum(terms, 0, count) / count;
  }
}
