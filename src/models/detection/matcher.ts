/**
 * Which object a candidate (anchor or proposal) belongs to, and whether it is an example of it: Detectron2's Matcher.
 *
 * A candidate belongs to the object that it overlaps most, the first of equals, and is labelled by that IoU. With low-quality
 * matches every object also makes those candidates positive that attain its own best IoU exactly, however low that is; they
 * keep the object of their own best IoU, which may be another one.
 */

import type { Overlaps } from './box-iou.js';

export interface MatchRule {
  /** Ascending; an IoU equal to one is above it. */
  readonly thresholds: readonly number[];
  /** What to call candidates between them, one more than thresholds. */
  readonly labels: readonly number[];
  readonly lowQuality: boolean;
}

/** A label that is neither positive (1) nor negative (0): the candidate is not trained on. */
export const IGNORED = -1;

export const ANCHOR_RULE: MatchRule = { thresholds: [0.3, 0.7], labels: [0, IGNORED, 1], lowQuality: true };
export const PROPOSAL_RULE: MatchRule = { thresholds: [0.5], labels: [0, 1], lowQuality: false };

export interface Matches {
  /** [N] the object of each candidate; 0 also where none is overlapped, and without objects */
  readonly objects: Int32Array;
  /** [N] */
  readonly labels: Int8Array;
}

export function match(overlaps: Overlaps, rule: MatchRule): Matches {
  const count = overlaps.candidates;
  const best = new Float32Array(count);
  const objects = new Int32Array(count);
  const lowQuality = new LowQuality(count);
  const indices = new Int32Array(count);
  const ious = new Float32Array(count);
  for (let object = 0; object < overlaps.objects; object++) {
    const entries = overlaps.row(object, indices, ious);
    for (let i = 0; i < entries; i++) {
      const candidate = indices[i];
      if (ious[i] <= best[candidate]) continue;
      best[candidate] = ious[i];
      objects[candidate] = object;
    }
    if (rule.lowQuality) lowQuality.add(indices, ious, entries);
  }
  const labels = labelsOf(best, rule);
  lowQuality.promote(labels);
  return { objects, labels };
}

/** What the rule calls each IoU. Thresholds are rounded as IoU is, so that one of exactly 0.7 is not below 0.7. */
function labelsOf(ious: Float32Array, { thresholds, labels: names }: MatchRule): Int8Array {
  const rounded = thresholds.map(Math.fround);
  const labels = new Int8Array(ious.length);
  for (let i = 0; i < ious.length; i++) {
    let above = 0;
    while (above < rounded.length && ious[i] >= rounded[above]) above++;
    labels[i] = names[above];
  }
  return labels;
}

/** The candidates that tie for the best IoU of an object. */
class LowQuality {
  readonly #positive: Uint8Array;
  readonly #ties: Int32Array;

  constructor(candidates: number) {
    this.#positive = new Uint8Array(candidates);
    this.#ties = new Int32Array(candidates);
  }

  /** Adds an object's row of overlaps. */
  add(indices: Int32Array, ious: Float32Array, entries: number): void {
    let best = 0;
    let count = 0;
    for (let i = 0; i < entries; i++) {
      if (ious[i] < best) continue;
      if (ious[i] > best) count = 0;
      best = ious[i];
      this.#ties[count++] = indices[i];
    }
    // What overlaps nothing ties with everything, in Detectron2 too. Objects within the image always overlap an anchor.
    if (best === 0) this.#positive.fill(1);
    else for (let i = 0; i < count; i++) this.#positive[this.#ties[i]] = 1;
  }

  promote(labels: Int8Array): void {
    for (let i = 0; i < labels.length; i++) if (this.#positive[i] === 1) labels[i] = 1;
  }
}
