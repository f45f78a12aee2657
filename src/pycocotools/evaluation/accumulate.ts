/**
 * Precision and recall of one category, range of areas and number of detections (`COCOeval.accumulate`).
 *
 * The reference builds cumulated arrays and their envelope over all detections. Precision can only rise at a true
 * positive, so here only true positives are visited: the first detection that reaches a recall is always one of them.
 */

/** numpy's spacing(1); it keeps 0 / 0 away, and makes the precision of a single true positive 1 - 2^-53. */
const EPSILON = Number.EPSILON;

/** Detections of a category over all images, by descending score. */
export interface Ranked {
  readonly count: number;
  readonly scores: Float64Array;
  /** For each detection 0 = ignored, 1 = false positive, 2 = true positive. */
  readonly outcome: Uint8Array;
}

/** For each recall threshold: how many true positives reach it, given the number of truths. */
export function positivesNeeded(recallThresholds: readonly number[], truths: number): Float64Array {
  return Float64Array.from(recallThresholds, (threshold) => {
    // The product may be off by one in both directions: what counts is the quotient that the reference compares.
    let needed = Math.max(0, Math.floor(threshold * truths) - 1);
    while (needed / truths < threshold) needed++;
    return needed;
  });
}

/**
 * @param needed from `positivesNeeded`
 * @param precision, scores receive one value for each recall threshold, `stride` apart from `at`
 * @returns the recall
 */
export function accumulate(
  { count, scores, outcome }: Ranked,
  truths: number,
  needed: Float64Array,
  out: { precision: Float64Array; scores: Float64Array; at: number; stride: number },
  scratch: { precision: Float64Array; position: Int32Array },
): number {
  let positives = 0;
  let negatives = 0;
  for (let i = 0; i < count; i++) {
    if (outcome[i] === 2) {
      positives++;
      scratch.precision[positives] = positives / (negatives + positives + EPSILON);
      scratch.position[positives] = i;
    } else if (outcome[i] === 1) negatives++;
  }
  for (let k = positives - 1; k > 0; k--) {
    if (scratch.precision[k] < scratch.precision[k + 1]) scratch.precision[k] = scratch.precision[k + 1];
  }
  // Recall 0 is reached by the first detection, whatever it is; no precision before the first positive is higher.
  scratch.precision[0] = positives > 0 ? scratch.precision[1] : 0;
  scratch.position[0] = 0;
  for (let r = 0; r < needed.length; r++) {
    const reached = count > 0 && needed[r] <= positives;
    out.precision[out.at + r * out.stride] = reached ? scratch.precision[needed[r]] : 0;
    out.scores[out.at + r * out.stride] = reached ? scores[scratch.position[needed[r]]] : 0;
  }
  return count === 0 ? 0 : positives / truths;
}
