/**
 * Non-maximum suppression, greedy: from the best box down, a box stays unless it overlaps one that stayed by more than the
 * threshold. An IoU equal to the threshold does not suppress, nor does one of two boxes without area (0/0). Of equal scores
 * the lower index comes first, which Detectron2 leaves open.
 *
 * Categories do not suppress each other. They are taken one after the other; shifting them apart and running once, as
 * others do, costs float32 its last digits.
 */

import { area32, iou32 } from './box-iou.js';

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
  const strip = new Strip(boxes, members);
  const suppressed = new Uint8Array(members.length);
  const kept: number[] = [];
  for (let i = 0; i < members.length && kept.length < limit; i++) {
    if (suppressed[i] === 1) continue;
    kept.push(members[i]);
    strip.suppress(boxes, members[i], threshold, suppressed);
  }
  return kept;
}

/** The boxes of a category from left to right, so that what a box can overlap is a stretch of them: a tenth, on most levels. */
class Strip {
  /** By place: rank of the box among the members, and its edges and area. */
  readonly #ranks: Int32Array;
  readonly #left: Float32Array;
  readonly #top: Float32Array;
  readonly #right: Float32Array;
  readonly #bottom: Float32Array;
  readonly #areas: Float32Array;
  readonly #widest: number;

  constructor(boxes: Float32Array, members: readonly number[]) {
    const ranks = Int32Array.from(members.keys());
    this.#ranks = ranks.sort((a, b) => boxes[4 * members[a]] - boxes[4 * members[b]]);
    const column = (i: number) => Float32Array.from(this.#ranks, (rank) => boxes[4 * members[rank] + i]);
    [this.#left, this.#top, this.#right, this.#bottom] = [column(0), column(1), column(2), column(3)];
    this.#areas = Float32Array.from(this.#ranks, (rank) => area32(boxes, members[rank]));
    this.#widest = this.#right.reduce((widest, right, i) => Math.max(widest, right - this.#left[i]), 0);
  }

  /** Marks what box `i` suppresses, by rank; also itself and boxes that were decided before, which does not matter. */
  suppress(boxes: Float32Array, i: number, threshold: number, suppressed: Uint8Array): void {
    const [x1, y1, x2, y2] = boxes.subarray(4 * i, 4 * i + 4);
    const area = area32(boxes, i);
    for (let at = this.#firstFrom(x1 - this.#widest); at < this.#left.length; at++) {
      if (this.#left[at] >= x2) return;
      if (this.#right[at] <= x1 || this.#top[at] >= y2 || this.#bottom[at] <= y1) continue;
      const width = Math.fround(Math.min(x2, this.#right[at]) - Math.max(x1, this.#left[at]));
      const height = Math.fround(Math.min(y2, this.#bottom[at]) - Math.max(y1, this.#top[at]));
      const iou = iou32(Math.fround(width * height), area, this.#areas[at]);
      if (iou > threshold) suppressed[this.#ranks[at]] = 1;
    }
  }

  /** The first place whose left edge is not before `x`. */
  #firstFrom(x: number): number {
    let [low, high] = [0, this.#left.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#left[middle] < x) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
