/** Detections and ground truths of one category, image by image. */

import type { Instances } from './instances.js';
import { countingSort, sortByScore, upTo } from './order.js';

/** Both sides by category. Categories are ranges [start[k], start[k + 1]). */
export interface ByCategory {
  /** Positions in the instances, by image, then as in the file. */
  readonly detections: Int32Array;
  readonly dtStart: Int32Array;
  readonly truths: Int32Array;
  readonly gtStart: Int32Array;
}

export function byCategory(dt: Instances, gt: Instances, images: number, categories: number): ByCategory {
  const dtByImage = countingSort(upTo(dt.count), dt.image, images).sorted;
  const gtByImage = countingSort(upTo(gt.count), gt.image, images).sorted;
  const detections = countingSort(dtByImage, dt.category, categories);
  const truths = countingSort(gtByImage, gt.category, categories);
  return {
    detections: detections.sorted,
    dtStart: detections.start,
    truths: truths.sorted,
    gtStart: truths.start,
  };
}

/** One category. Group g is an image that has detections or truths of it. */
export interface CategoryGroups {
  /** The counted detections, positions in the instances, by descending score. */
  readonly ranking: Int32Array;
  /** For each of `ranking`: how many better ones its image has. */
  readonly rank: Int32Array;
  /** Number of groups. */
  readonly count: number;
  readonly image: Int32Array;
  /** Positions in `ranking`, group after group; [dtStart[g], dtStart[g + 1]). */
  readonly detections: Int32Array;
  readonly dtStart: Int32Array;
  /** Positions in the instances, group after group; [gtStart[g], gtStart[g + 1]). */
  readonly truths: Int32Array;
  readonly gtStart: Int32Array;
}

/** @param most detections of an image that count */
export function groupsOf(
  { detections, dtStart, truths, gtStart }: ByCategory,
  category: number,
  dt: Instances,
  gt: Instances,
  images: number,
  most: number,
): CategoryGroups {
  const ranked = sortByScore(detections.subarray(dtStart[category], dtStart[category + 1]), dt.score);
  const objects = truths.subarray(gtStart[category], gtStart[category + 1]);
  /** Number of the image's group + 1. */
  const group = new Int32Array(images);
  const image = new Int32Array(Math.min(images, ranked.length + objects.length));
  let count = 0;
  const groupOf = (at: number): number => {
    if (group[at] === 0) {
      image[count++] = at;
      group[at] = count;
    }
    return group[at] - 1;
  };
  const gtGroup = new Int32Array(objects.length);
  for (let i = 0; i < objects.length; i++) gtGroup[i] = groupOf(gt.image[objects[i]]);
  const dtGroup = new Int32Array(ranked.length);
  for (let i = 0; i < ranked.length; i++) dtGroup[i] = groupOf(dt.image[ranked[i]]);

  const ranking = new Int32Array(ranked.length);
  const rank = new Int32Array(ranked.length);
  const keptGroup = new Int32Array(ranked.length);
  const seen = new Int32Array(count);
  let kept = 0;
  for (let i = 0; i < ranked.length; i++) {
    const before = seen[dtGroup[i]]++;
    if (before >= most) continue;
    ranking[kept] = ranked[i];
    rank[kept] = before;
    keptGroup[kept++] = dtGroup[i];
  }
  const dets = countingSort(upTo(kept), keptGroup, count);
  const gts = countingSort(upTo(objects.length), gtGroup, count);
  return {
    ranking: ranking.subarray(0, kept),
    rank: rank.subarray(0, kept),
    count,
    image: image.subarray(0, count),
    detections: dets.sorted,
    dtStart: dets.start,
    truths: gts.sorted.map((i) => objects[i]),
    gtStart: gts.start,
  };
}
