/**
 * Precision and recall of one category, range of areas and number of detections (`COCOeval.accumulate`).
 *
 * The reference builds cumulated arrays and their envelope over all detections, for each threshold. Precision can only
 * rise at a true positive, and the first detection that reaches a recall is one: here only true positives leave a trace.
 * Detections that match at no threshold, nearly all of them, are counted for all thresholds together.
 */

/** numpy's spacing(1); it keeps 0 / 0 away, and makes the precision of a single true positive 1 - 2^-53. */
export const EPSILON = Number.EPSILON;

/** For each recall threshold: how many true positives reach it, given the number of truths. */
export function positivesNeeded(recallThresholds: readonly number[], truths: number): Float64Array {
  return Float64Array.from(recallThresholds, (threshold) => {
    // The product may be off by one in both directions: what counts is the quotient that the reference compares.
    let needed = Math.max(0, Math.floor(threshold * truths) - 1);
    while (needed / truths < threshold) needed++;
    return needed;
  });
}

/** Detections of a category by descending score. Bit t of a mask is threshold t. */
export interface Ranked {
  readonly count: number;
  readonly scores: Float64Array;
  /** How many better ones the detection's image has. */
  readonly rank: Int32Array;
  readonly matched: Uint32Array;
  readonly ignored: Uint32Array;
}

/** The traces of one threshold: what the n-th true positive is worth. */
class Trace {
  readonly precision: Float64Array;
  readonly score: Float64Array;
  positives = 0;
  /** Besides those counted for all thresholds. */
  negatives = 0;

  constructor(truths: number) {
    this.precision = new Float64Array(truths + 1);
    this.score = new Float64Array(truths + 1);
  }
}

/** Where the results of threshold 0 go, and how far apart those of recalls and thresholds are. */
export interface Destination {
  readonly precision: Float64Array;
  readonly scores: Float64Array;
  readonly recall: Float64Array;
  /** Positions of the first threshold and recall in `precision` and `scores`, and in `recall`. */
  readonly at: number;
  readonly recallAt: number;
  readonly perRecall: number;
  readonly perThreshold: number;
  readonly recallPerThreshold: number;
}

export interface AccumulateOptions {
  /** At most 31. */
  readonly thresholds: number;
  /** Detections per image that count. */
  readonly most: number;
  /** Truths that are not ignored; at least 1. */
  readonly truths: number;
  /** From `positivesNeeded`. */
  readonly needed: Float64Array;
  /** Added to the denominator of precision. */
  readonly epsilon: number;
}

export function accumulate(
  { count, scores, rank, matched, ignored }: Ranked,
  { thresholds, most, truths, needed, epsilon }: AccumulateOptions,
  out: Destination,
): void {
  // A crowd takes many detections, but these are ignored: there are no more positives than truths.
  const traces = Array.from({ length: thresholds }, () => new Trace(Math.min(truths, count)));
  let negatives = 0;
  let counted = 0;
  let best = 0;
  for (let i = 0; i < count; i++) {
    if (rank[i] >= most) continue;
    if (counted++ === 0) best = scores[i];
    const [match, ignore] = [matched[i], ignored[i]];
    if ((match | ignore) === 0) {
      negatives++;
      continue;
    }
    for (let t = 0; t < thresholds; t++) {
      const bit = 1 << t;
      if ((ignore & bit) !== 0) continue;
      const trace = traces[t];
      if ((match & bit) === 0) {
        trace.negatives++;
        continue;
      }
      const n = ++trace.positives;
      trace.precision[n] = n / (negatives + trace.negatives + n + epsilon);
      trace.score[n] = scores[i];
    }
  }
  traces.forEach(({ precision, score, positives }, t) => {
    for (let n = positives - 1; n > 0; n--) {
      if (precision[n] < precision[n + 1]) precision[n] = precision[n + 1];
    }
    // Recall 0 is reached by the first detection, whatever it is; no precision before the first positive is higher.
    precision[0] = positives > 0 ? precision[1] : 0;
    score[0] = best;
    for (let r = 0; r < needed.length; r++) {
      const reached = counted > 0 && needed[r] <= positives;
      const at = out.at + t * out.perThreshold + r * out.perRecall;
      out.precision[at] = reached ? precision[needed[r]] : 0;
      out.scores[at] = reached ? score[needed[r]] : 0;
    }
    out.recall[out.recallAt + t * out.recallPerThreshold] = counted === 0 ? 0 : positives / truths;
  });
}
