/**
 * Which labelled candidates a step trains on: so many in all, at most a given share of them positive, filled up with
 * negatives.
 *
 * Where Detectron2 takes the first of a random permutation, the candidates with the smallest ranks are taken, and a rank is
 * a function of the candidate's id. So the choice does not depend on the order in which candidates come: proposals whose
 * logits differ in the last bit may change places.
 */

import type { RandomStream } from '../../core/rng.js';

/** A random number for a candidate. */
export type Rank = (id: number) => number;

export interface SampleSize {
  readonly count: number;
  /** Largest share of positives, rounded down. */
  readonly positiveFraction: number;
}

export const ANCHOR_SAMPLE: SampleSize = { count: 256, positiveFraction: 0.5 };
export const PROPOSAL_SAMPLE: SampleSize = { count: 512, positiveFraction: 0.25 };

/** Positions of the chosen candidates, in ascending order of their ranks. */
export interface Sample {
  readonly positives: Int32Array;
  readonly negatives: Int32Array;
}

/** Ranks from a stream: 32 random bits that belong to an id. */
export function randomRank(stream: RandomStream): Rank {
  return (id) => stream.at(id);
}

/**
 * @param labels [N] 1 positive, 0 negative; others are left out
 * @param rank of the candidate at a position; of equals the first is taken first
 */
export function sampleLabels(labels: Int8Array, { count, positiveFraction }: SampleSize, rank: Rank): Sample {
  const positives = smallest(labels, 1, Math.floor(count * positiveFraction), rank);
  const negatives = smallest(labels, 0, count - positives.length, rank);
  return { positives, negatives };
}

/** The positions of the `count` smallest ranks among those with a label, ascending. */
function smallest(labels: Int8Array, label: number, count: number, rank: Rank): Int32Array {
  const ranks = new Float64Array(count);
  const chosen = new Int32Array(count);
  let size = 0;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== label) continue;
    const own = rank(i);
    if (size === count && !(own < ranks[size - 1])) continue;
    if (size < count) size++;
    let at = size - 1;
    for (; at > 0 && own < ranks[at - 1]; at--) {
      ranks[at] = ranks[at - 1];
      chosen[at] = chosen[at - 1];
    }
    ranks[at] = own;
    chosen[at] = i;
  }
  return chosen.subarray(0, size);
}
