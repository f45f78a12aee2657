/**
 * Weighted k-nearest-neighbour classification of features: how well they separate classes, without training anything.
 *
 * Source: Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination" (CVPR 2018), section 3.4:
 * the k bank rows of the highest cosine similarity s vote for their classes with weight exp(s / T). Queries are taken in
 * blocks of which only the k best rows are kept, so memory does not grow with queries times bank.
 */

import { RandomStream } from '../core/rng.js';
import { cosineSimilarities } from './cosine.js';
import { type Neighbour, TopK } from './top-k.js';

export interface KnnOptions {
  /** [n, d] features of the labelled images, need not be normalised; rows of zeros are similar to nothing. */
  bank: Float32Array;
  /** [n], each in 0..classes-1 */
  bankLabels: ArrayLike<number>;
  /** [m, d]; the bank itself with `excludeSelf` */
  queries: Float32Array;
  /** [m] */
  queryLabels: ArrayLike<number>;
  classes: number;
  /** Neighbours that vote; all when the bank has fewer. The field's default is 200. */
  k?: number;
  /** The field's default is 0.07. */
  temperature?: number;
  /** Queries are the bank, row by row, and no row votes for itself (leave one out). */
  excludeSelf?: boolean;
  onProgress?: (queriesDone: number) => void;
}

export interface KnnResult {
  /** Percent of the queries whose class has the most votes. */
  top1: number;
  /** Percent of the queries whose class is among the five with the most votes; a class without votes is not. */
  top5: number;
  /** [m] class with the most votes */
  predictions: Int32Array;
}

const QUERY_BLOCK = 256;

/**
 * Of equally similar rows the one with the lower index comes first, of classes with equal votes the lower one. Takes
 * n * m * d multiplications, about two billion per second and core.
 *
 * @throws RangeError when sizes disagree, a label is out of range, a feature is not finite, or there is nothing to compare
 */
export function knnAccuracy(options: KnnOptions): KnnResult {
  const { k = 200 } = options;
  return knnAccuracies(options, [k])[0];
}

/** `knnAccuracy` for several k at once: the similarities, nearly all of the work, are computed once. */
export function knnAccuracies(options: Omit<KnnOptions, 'k'>, ks: readonly number[]): KnnResult[] {
  const { bank, bankLabels, queries, queryLabels, temperature = 0.07, excludeSelf = false } = options;
  const { n, m, d, voters } = checkSizes(options, ks);
  const most = Math.min(voters, Math.max(...ks));
  const compare = cosineSimilarities(queries, m, bank, n, d);
  const polls = ks.map((k) => ({ k, right1: 0, right5: 0, predictions: new Int32Array(m) }));
  const votes = new Float64Array(options.classes);
  for (let first = 0; first < m; first += QUERY_BLOCK) {
    const last = Math.min(first + QUERY_BLOCK, m);
    const nearest = Array.from({ length: last - first }, () => new TopK(most));
    compare(first, last, (query, row, similarity) => {
      if (excludeSelf && query === row) return;
      nearest[query - first].offer(similarity, row);
    });
    for (let q = first; q < last; q++) {
      const neighbours = nearest[q - first].sorted();
      for (const poll of polls) {
        vote(neighbours, poll.k, bankLabels, temperature, votes);
        const rank = rankOf(votes, queryLabels[q]);
        poll.predictions[q] = winner(votes);
        if (rank < 1) poll.right1++;
        if (rank < 5) poll.right5++;
      }
    }
    options.onProgress?.(last);
  }
  return polls.map(({ right1, right5, predictions }) => ({
    top1: (100 * right1) / m,
    top5: (100 * right5) / m,
    predictions,
  }));
}

/** Adds up the weights of the first k; relative to the best neighbour's, as exp(1 / T) overflows for small T. */
function vote(
  neighbours: readonly Neighbour[],
  k: number,
  labels: ArrayLike<number>,
  temperature: number,
  votes: Float64Array,
): void {
  votes.fill(0);
  for (let i = 0; i < Math.min(k, neighbours.length); i++) {
    const { similarity, index } = neighbours[i];
    votes[labels[index]] += Math.exp((similarity - neighbours[0].similarity) / temperature);
  }
}

function winner(votes: Float64Array): number {
  let best = 0;
  for (let c = 1; c < votes.length; c++) if (votes[c] > votes[best]) best = c;
  return best;
}

/** How many classes come before this one; infinite when nobody voted for it. */
function rankOf(votes: Float64Array, label: number): number {
  if (votes[label] === 0) return Number.POSITIVE_INFINITY;
  let rank = 0;
  for (let c = 0; c < votes.length; c++) {
    if (votes[c] > votes[label] || (votes[c] === votes[label] && c < label)) rank++;
  }
  return rank;
}

function checkSizes(
  options: KnnOptions,
  ks: readonly number[],
): { n: number; m: number; d: number; voters: number } {
  const { bank, bankLabels, queries, queryLabels, classes, temperature = 0.07 } = options;
  const n = bankLabels.length;
  const m = queryLabels.length;
  const voters = options.excludeSelf ? n - 1 : n;
  if (voters < 1 || m < 1) throw new RangeError(`kNN: nothing to compare: bank of ${n} rows, ${m} queries`);
  const d = bank.length / n;
  if (!Number.isInteger(d) || d < 1 || queries.length !== m * d) {
    throw new RangeError(
      `kNN: bank [n, d] has ${bank.length} values for n = ${n} labels, queries [m, d] ${queries.length} for m = ${m}`,
    );
  }
  if (options.excludeSelf && n !== m) {
    throw new RangeError(`kNN: with excludeSelf the queries are the bank, but there are ${m} and ${n} rows`);
  }
  for (const k of ks) {
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`kNN: k must be a positive integer, not ${k}`);
  }
  if (!(temperature > 0)) throw new RangeError(`kNN: temperature must be above 0, not ${temperature}`);
  checkLabels('bank', bankLabels, classes);
  checkLabels('query', queryLabels, classes);
  return { n, m, d, voters };
}

function checkLabels(what: string, labels: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < classes)) {
      throw new RangeError(`kNN: ${what} label ${i} must be in 0..${classes - 1}, not ${labels[i]}`);
    }
  }
}

/**
 * The images among which neighbours are looked for: at most so many, always the same ones for a seed.
 *
 * @returns indices in ascending order, so that files are read in their order
 */
export function chooseBank(count: number, limit: number, seed: number): Uint32Array {
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  return new RandomStream(seed, 'knn bank').shuffle(all).slice(0, limit).sort();
}
