/**
 * Non-maximum suppression, greedy: from the best box down, a box stays unless it overlaps one that stayed by more than the
 * threshold. An IoU equal to the threshold does not suppress, nor does one of two boxes without area (0/0). Of equal scores
 * the lower index comes first, which Detectron2 leaves open.
 *
 * Categories do not suppress each other. They are taken one after the other; shifting them apart and running once, as
 * others do, costs float32 its last digits.
 */

import { iou32 } from './box-iou.js';

export interface NmsOptions {
  readonly threshold: number;
  /** How many to keep in all; all by default. */
  readonly limit?: number;
}

/**
 * @param boxes [N, 4]
 * @param scores [N], finite
 * @param categories [N], natural numbers
 * @returns positions of the boxes that stay, best first
 */
export function nonMaximumSuppression(
  boxes: Float32Array,
  scores: Float32Array,
  categories: ArrayLike<number>,
  { threshold, limit = scores.length }: NmsOptions,
): Int32Array {
  const order = Int32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
  const stays = new Uint8Array(scores.length);
  // Rounded as IoU is, so that one of exactly 0.3 is not above 0.3.
  const most = Math.fround(threshold);
  for (const members of groupBy(order, categories))
    for (const i of suppress(boxes, members, most, limit)) stays[i] = 1;
  return order.filter((i) => stays[i] === 1).slice(0, limit);
}

/** The positions of each category, in the order given. */
function groupBy(order: Int32Array, categories: ArrayLike<number>): Iterable<number[]> {
  const groups = new Map<number, number[]>();
  for (const i of order) {
    const group = groups.get(categories[i]);
    if (group === undefined) groups.set(categories[i], [i]);
    else group.push(i);
  }
  return groups.values();
}

/** One category. @param members best first  @returns those that stay, at most `limit` */
function suppress(
  boxes: Float32Array,
  members: readonly number[],
  threshold: number,
  limit: number,
): number[] {
  const { left, top, right, bottom, areas } = columnsOf(boxes, members);
  const suppressed = new Uint8Array(members.length);
  const kept: number[] = [];
  for (let i = 0; i < members.length && kept.length < limit; i++) {
    if (suppressed[i] === 1) continue;
    kept.push(members[i]);
    const [x1, y1, x2, y2, area] = [left[i], top[i], right[i], bottom[i], areas[i]];
    for (let j = i + 1; j < members.length; j++) {
      if (suppressed[j] === 1) continue;
      // Most pairs are apart.
      if (left[j] >= x2 || right[j] <= x1 || top[j] >= y2 || bottom[j] <= y1) continue;
      const width = Math.fround(Math.min(x2, right[j]) - Math.max(x1, left[j]));
      const height = Math.fround(Math.min(y2, bottom[j]) - Math.max(y1, top[j]));
      if (iou32(Math.fround(width * height), area, areas[j]) > threshold) suppressed[j] = 1;
    }
  }
  return kept;
}

/** The boxes' edges, each in an array of its own: the inner loop runs over them. */
function columnsOf(boxes: Float32Array, members: readonly number[]) {
  const column = (i: number) => Float32Array.from(members, (member) => boxes[4 * member + i]);
  const [left, top, right, bottom] = [column(0), column(1), column(2), column(3)];
  const areas = Float32Array.from(
    members,
    (_, i) => Math.fround(right[i] - left[i]) * Math.fround(bottom[i] - top[i]),
  );
  return { left, top, right, bottom, areas };
}
