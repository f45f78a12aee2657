/** One evaluation: its input, prepared once, and its categories, each evaluated by itself. */

import { formatBytes } from '../../core/clock.js';
import { UserError } from '../../core/errors.js';
import { accumulate, EPSILON, positivesNeeded } from './accumulate.js';
import { type ByCategory, byCategory, type CategoryGroups, groupsOf } from './groups.js';
import type { Instances } from './instances.js';
import { type Group, Matching, match } from './match.js';
import type { Overlap } from './overlap.js';
import type { Params } from './params.js';

export interface Evaluation {
  readonly dt: Instances;
  readonly gt: Instances;
  readonly overlap: Overlap;
  readonly params: Params;
  readonly order: ByCategory;
  readonly images: number;
  readonly categories: number;
}

export function prepare(dt: Instances, gt: Instances, overlap: Overlap, params: Params): Evaluation {
  const images = params.imgIds.length;
  const categories = params.useCats ? params.catIds.length : 1;
  return { dt, gt, overlap, params, images, categories, order: byCategory(dt, gt, images, categories) };
}

/** pycocotools' `eval`; T thresholds, R recalls, K categories, A areas, M maxDets. */
export interface Curves {
  /** [T, R, K, A, M] */
  readonly counts: readonly [T: number, R: number, K: number, A: number, M: number];
  /** [T, R, K, A, M]; -1 without ground truth */
  readonly precision: Float64Array;
  /** [T, K, A, M] */
  readonly recall: Float64Array;
  /** [T, R, K, A, M] */
  readonly scores: Float64Array;
}

/** Of the curves, bytes. */
const MOST_BYTES = 1_500_000_000;

/**
 * Curves in which nothing was measured yet, in shared memory.
 *
 * @throws UserError when they would take more than 1.5 GB: precision and score of every category, threshold, recall and range
 */
export function emptyCurves({ iouThrs, recThrs, areaRng, maxDets }: Params, categories: number): Curves {
  const counts = [iouThrs.length, recThrs.length, categories, areaRng.length, maxDets.length] as const;
  const [T, R, K, A, M] = counts;
  const bytes = 8 * T * (2 * R + 1) * K * A * M;
  if (bytes > MOST_BYTES) {
    throw new UserError(
      `the curves of ${K} categories would take ${formatBytes(bytes)}; ${formatBytes(MOST_BYTES)} is the limit`,
      {
        key: 'categories',
        remedy: 'evaluate a part of the categories at a time, from files that hold no others',
      },
    );
  }
  const unmeasured = (count: number) => new Float64Array(new SharedArrayBuffer(8 * count)).fill(-1);
  return {
    counts,
    precision: unmeasured(T * R * K * A * M),
    recall: unmeasured(T * K * A * M),
    scores: unmeasured(T * R * K * A * M),
  };
}

export function categoryGroups(
  { order, dt, gt, images, params }: Evaluation,
  category: number,
): CategoryGroups {
  return groupsOf(order, category, dt, gt, images, params.maxDets.at(-1) ?? 0);
}

/** Group `g` of a category, with its overlaps. */
export function groupAt({ overlap }: Evaluation, groups: CategoryGroups, g: number): Group {
  const { ranking, dtStart, gtStart } = groups;
  const detections = groups.detections.slice(dtStart[g], dtStart[g + 1]);
  for (let d = 0; d < detections.length; d++) detections[d] = ranking[detections[d]];
  const truths = groups.truths.subarray(gtStart[g], gtStart[g + 1]);
  const ious = new Float64Array(detections.length * truths.length);
  if (ious.length > 0) overlap.fill(detections, truths, ious);
  return { detections, truths, ious };
}

/** Thresholds that fit the bits of a mask. */
const THRESHOLDS_AT_ONCE = 31;

/** Evaluates one category into its part of `curves`, and no other. */
export function evaluateCategory(evaluation: Evaluation, category: number, curves: Curves): void {
  const { dt, params } = evaluation;
  const { iouThrs, areaRng } = params;
  const groups = categoryGroups(evaluation, category);
  if (groups.count === 0) return;
  const withTruths: number[] = [];
  for (let g = 0; g < groups.count; g++) if (groups.gtStart[g + 1] > groups.gtStart[g]) withTruths.push(g);
  const matchable = withTruths.map((g) => groupAt(evaluation, groups, g));

  // By rank: several passes follow, and the instances are far apart.
  const scores = new Float64Array(groups.ranking.length);
  const areas = new Float64Array(groups.ranking.length);
  for (let i = 0; i < scores.length; i++) {
    const position = groups.ranking[i];
    scores[i] = dt.score[position];
    // Not a number is outside of every range.
    areas[i] = dt.ignore[position] === 1 ? Number.NaN : dt.area[position];
  }
  for (let first = 0; first < iouThrs.length; first += THRESHOLDS_AT_ONCE) {
    const thresholds = iouThrs.slice(first, first + THRESHOLDS_AT_ONCE);
    for (let a = 0; a < areaRng.length; a++) {
      const outcome = matchAll(evaluation, groups, areas, matchable, withTruths, thresholds, areaRng[a]);
      if (outcome.truths === 0) continue;
      const ranked = { count: scores.length, scores, rank: groups.rank, ...outcome };
      accumulateInto(curves, params, category, a, first, thresholds.length, ranked, outcome.truths);
    }
  }
}

interface Outcome {
  /** For each detection of the ranking, a bit for each threshold. */
  matched: Uint32Array;
  ignored: Uint32Array;
  /** Truths that count. */
  truths: number;
}

function matchAll(
  { dt, gt, params }: Evaluation,
  groups: CategoryGroups,
  areas: Float64Array,
  matchable: readonly Group[],
  withTruths: readonly number[],
  thresholds: readonly number[],
  areaRange: readonly [number, number],
): Outcome {
  const { ranking, detections, dtStart } = groups;
  const matched = new Uint32Array(ranking.length);
  const ignored = new Uint32Array(ranking.length);
  const all = 2 ** thresholds.length - 1;
  const [low, high] = areaRange;
  for (let i = 0; i < areas.length; i++) if (!(areas[i] >= low && areas[i] <= high)) ignored[i] = all;

  const options = { thresholds, areaRange, idZeroIsNone: !params.corrections.idZero };
  const matching = new Matching();
  let truths = 0;
  matchable.forEach((group, n) => {
    truths += match(group, dt, gt, options, matching);
    const D = group.detections.length;
    for (let d = 0; d < D; d++) {
      let [match, ignore] = [0, 0];
      for (let t = 0; t < thresholds.length; t++) {
        if (matching.dtMatch[t * D + d] > 0) match |= 1 << t;
        if (matching.dtIgnore[t * D + d] === 1) ignore |= 1 << t;
      }
      const i = detections[dtStart[withTruths[n]] + d];
      matched[i] = match;
      ignored[i] = ignore;
    }
  });
  return { matched, ignored, truths };
}

function accumulateInto(
  { counts: [, R, K, A, M], precision, scores, recall }: Curves,
  { recThrs, maxDets, corrections }: Params,
  category: number,
  area: number,
  firstThreshold: number,
  thresholds: number,
  ranked: Parameters<typeof accumulate>[0],
  truths: number,
): void {
  const needed = positivesNeeded(recThrs, truths);
  const epsilon = corrections.epsilon ? 0 : EPSILON;
  for (let m = 0; m < M; m++) {
    accumulate(
      ranked,
      { thresholds, most: maxDets[m], truths, needed, epsilon },
      {
        precision,
        scores,
        recall,
        at: ((firstThreshold * R * K + category) * A + area) * M + m,
        recallAt: ((firstThreshold * K + category) * A + area) * M + m,
        perRecall: K * A * M,
        perThreshold: R * K * A * M,
        recallPerThreshold: K * A * M,
      },
    );
  }
}
