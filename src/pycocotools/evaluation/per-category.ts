/** Figures of single categories, and their precision-recall curves. */

import type { CategoryRecord } from '../dataset/types.js';
import type { Curves } from './evaluate.js';
import type { Params } from './params.js';
import { type Summary, summarize } from './summarize.js';

export interface CategoryFigures {
  readonly category: CategoryRecord;
  /** As the summary of all, of this category alone; -1 where there is no ground truth. */
  readonly summary: readonly Summary[];
}

/** One entry for each category of the parameters; without categories one for all together. */
export function perCategory(
  curves: Curves,
  params: Params,
  categories: readonly CategoryRecord[],
): CategoryFigures[] {
  const byId = new Map(categories.map((category) => [category.id, category]));
  return categoryIds(params).map((id, k) => ({
    category: { ...byId.get(id), id, name: id === -1 ? 'all' : nameOf(id, byId.get(id)?.name) },
    // A category's frequency says nothing about itself alone.
    summary: summarize(ofCategory(curves, k), params).filter(({ frequency }) => frequency === undefined),
  }));
}

/** Files have categories without a name, or with null or a number in its place: those are called by what there is. */
function nameOf(id: number, name: unknown): string {
  return name === undefined || name === null || name === '' ? String(id) : String(name);
}

function categoryIds({ useCats, catIds }: Params): readonly number[] {
  return useCats ? catIds : [-1];
}

function ofCategory({ counts: [T, R, K, A, M], precision, recall, scores }: Curves, k: number): Curves {
  const cut = (values: Float64Array, outer: number) => {
    const own = new Float64Array(outer * A * M);
    for (let i = 0; i < outer; i++)
      own.set(values.subarray((i * K + k) * A * M, (i * K + k + 1) * A * M), i * A * M);
    return own;
  };
  return {
    counts: [T, R, 1, A, M],
    precision: cut(precision, T * R),
    recall: cut(recall, T),
    scores: cut(scores, T * R),
  };
}

/**
 * Precision at each recall threshold, for all sizes and the most detections.
 *
 * @param category position in the parameters' list; undefined: mean of all that have ground truth
 * @param iouThr undefined: mean of all thresholds
 * @returns as many values as `recThrs`; NaN without ground truth or threshold
 */
export function precisionCurve(
  { counts: [T, R, K, A, M], precision }: Curves,
  { iouThrs }: Params,
  category: number | undefined,
  iouThr: number | undefined,
): Float64Array {
  const thresholds = iouThrs
    .map((_, t) => t)
    .filter((t) => t < T && (iouThr === undefined || iouThrs[t] === iouThr));
  const categories = category === undefined ? Array.from({ length: K }, (_, k) => k) : [category];
  return Float64Array.from({ length: R }, (_, r) => {
    let [sum, count] = [0, 0];
    for (const t of thresholds) {
      for (const k of categories) {
        const value = precision[((t * R + r) * K + k) * A * M + (M - 1)];
        if (value < 0) continue;
        sum += value;
        count++;
      }
    }
    return sum / count;
  });
}
