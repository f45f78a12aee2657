/**
 * Annotations in columns, grouped by category and image. Everything after this works on typed arrays: no object for a
 * detection, none for an image.
 */

/** Annotations of one side, in the order of their file. */
export interface Instances {
  readonly count: number;
  /** Position of the image, and of the category, in the parameters' lists. */
  readonly image: Int32Array;
  readonly category: Int32Array;
  readonly id: Float64Array;
  /** Square pixels. */
  readonly area: Float64Array;
  /** Detections only; empty otherwise. */
  readonly score: Float64Array;
  /** Ground truth only; empty otherwise. */
  readonly crowd: Uint8Array;
  readonly ignore: Uint8Array;
}

/** Instances of a category and an image lie side by side: group g = category * images + image holds [start[g], start[g + 1]). */
export interface Groups {
  readonly order: Int32Array;
  readonly start: Int32Array;
}

/** Counting sort; within a group the order of the file is kept. */
export function groupInstances(instances: Instances, images: number, categories: number): Groups {
  const { count, image, category } = instances;
  const start = new Int32Array(images * categories + 1);
  for (let i = 0; i < count; i++) start[category[i] * images + image[i] + 1]++;
  for (let g = 1; g < start.length; g++) start[g] += start[g - 1];
  const next = start.slice();
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[next[category[i] * images + image[i]]++] = i;
  return { order, start };
}

/** Positions by descending score; equal scores keep their order, as with numpy's merge sort of the negated scores. */
export function sortByScore(order: Int32Array, start: number, end: number, score: Float64Array): Int32Array {
  const sorted = order.slice(start, end);
  if (sorted.length > 1) sorted.sort((a, b) => score[b] - score[a]);
  return sorted;
}
