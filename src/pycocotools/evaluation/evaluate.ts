/** All categories of an evaluation: overlap, matching, and the accumulated curves. */

import { accumulate, positivesNeeded, type Ranked } from './accumulate.js';
import { type Groups, groupInstances, type Instances, sortByScore } from './instances.js';
import { type Group, Matching, match } from './match.js';
import type { Overlap } from './overlap.js';
import type { Params } from './params.js';

export interface Evaluation {
  readonly dt: Instances;
  readonly gt: Instances;
  readonly overlap: Overlap;
  readonly params: Params;
  readonly dtGroups: Groups;
  readonly gtGroups: Groups;
  readonly images: number;
  readonly categories: number;
}

export function prepare(dt: Instances, gt: Instances, overlap: Overlap, params: Params): Evaluation {
  const images = params.imgIds.length;
  const categories = params.useCats ? params.catIds.length : 1;
  return {
    dt,
    gt,
    overlap,
    params,
    images,
    categories,
    dtGroups: groupInstances(dt, images, categories),
    gtGroups: groupInstances(gt, images, categories),
  };
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

export function emptyCurves({ iouThrs, recThrs, areaRng, maxDets }: Params, categories: number): Curves {
  const counts = [iouThrs.length, recThrs.length, categories, areaRng.length, maxDets.length] as const;
  const [T, R, K, A, M] = counts;
  return {
    counts,
    precision: new Float64Array(T * R * K * A * M).fill(-1),
    recall: new Float64Array(T * K * A * M).fill(-1),
    scores: new Float64Array(T * R * K * A * M).fill(-1),
  };
}

/** The group of a category and an image, with its overlaps. */
export function groupAt(evaluation: Evaluation, category: number, image: number): Group {
  const { dt, dtGroups, gtGroups, images, overlap, params } = evaluation;
  const g = category * images + image;
  const most = params.maxDets.at(-1) ?? 0;
  const sorted = sortByScore(dtGroups.order, dtGroups.start[g], dtGroups.start[g + 1], dt.score);
  const detections = sorted.subarray(0, most);
  const truths = gtGroups.order.subarray(gtGroups.start[g], gtGroups.start[g + 1]);
  const ious = new Float64Array(detections.length * truths.length);
  if (ious.length > 0) overlap.fill(detections, truths, ious);
  return { detections, truths, ious };
}

/** Evaluates one category into its part of `curves`. */
export function evaluateCategory(
  evaluation: Evaluation,
  category: number,
  curves: Curves,
  idZeroIsNone: boolean,
): void {
  const { dt, gt, dtGroups, gtGroups, images, params } = evaluation;
  const { iouThrs, areaRng, maxDets, recThrs } = params;
  const [T, R, K, A, M] = curves.counts;
  const groups: Group[] = [];
  let total = 0;
  for (let image = 0; image < images; image++) {
    const g = category * images + image;
    const empty = dtGroups.start[g] === dtGroups.start[g + 1] && gtGroups.start[g] === gtGroups.start[g + 1];
    if (empty) continue;
    const group = groupAt(evaluation, category, image);
    groups.push(group);
    total += group.detections.length;
  }
  if (groups.length === 0) return;

  const scores = new Float64Array(total);
  /** Rank of each detection within its image. */
  const rank = new Int32Array(total);
  let at = 0;
  for (const { detections } of groups) {
    for (let d = 0; d < detections.length; d++) {
      scores[at] = dt.score[detections[d]];
      rank[at++] = d;
    }
  }
  const order = sortByScore(
    Int32Array.from({ length: total }, (_, i) => i),
    0,
    total,
    scores,
  );

  const matching = new Matching();
  const outcome = new Uint8Array(T * total);
  const ranked = { scores: new Float64Array(total), outcome: new Uint8Array(total) };
  const scratch = { precision: new Float64Array(total + 1), position: new Int32Array(total + 1) };
  for (let a = 0; a < A; a++) {
    let truths = 0;
    let offset = 0;
    for (const group of groups) {
      const options = { thresholds: iouThrs, areaRange: areaRng[a], idZeroIsNone };
      truths += match(group, dt, gt, options, matching);
      const D = group.detections.length;
      for (let t = 0; t < T; t++) {
        for (let d = 0; d < D; d++) {
          const i = t * D + d;
          outcome[t * total + offset + d] = matching.dtIgnore[i] === 1 ? 0 : matching.dtMatch[i] > 0 ? 2 : 1;
        }
      }
      offset += D;
    }
    if (truths === 0) continue;
    const needed = positivesNeeded(recThrs, truths);
    for (let m = 0; m < M; m++) {
      for (let t = 0; t < T; t++) {
        let count = 0;
        for (let i = 0; i < total; i++) {
          const d = order[i];
          if (rank[d] >= maxDets[m]) continue;
          ranked.scores[count] = scores[d];
          ranked.outcome[count++] = outcome[t * total + d];
        }
        const place = ((t * R * K + category) * A + a) * M + m;
        const out = {
          precision: curves.precision,
          scores: curves.scores,
          at: place,
          stride: K * A * M,
        };
        const recall = accumulate({ count, ...ranked } satisfies Ranked, truths, needed, out, scratch);
        curves.recall[((t * K + category) * A + a) * M + m] = recall;
      }
    }
  }
}
