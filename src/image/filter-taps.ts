/**
 * Which source pixels each output pixel of a resized line reads, and how much each counts: Pillow's rule, for any filter.
 *
 * The weights are exact here; each resampler rounds them to the integers that it multiplies with.
 */

export interface TapOptions {
  /** Where the line begins, in continuous source pixels, and how many of them make one output pixel. */
  low: number;
  step: number;
  /** Output pixels. */
  size: number;
  /** Source pixels that may be read: from `first` to before `end`. */
  first: number;
  end: number;
  /** How far the filter reaches, in source pixels. */
  support: number;
  /** The filter; gets the signed distance of a source pixel's centre in source pixels. */
  weight: (distance: number) => number;
}

export interface FilterTaps {
  /** [size] first source pixel that is read */
  starts: Int32Array;
  /** [size] how many are read */
  counts: Int32Array;
  /** The largest of `counts`, at least 1. */
  most: number;
  /** [size, most]; the first `counts[i]` of a row sum to 1, the others are 0 */
  weights: Float64Array;
}

export function filterTaps({ low, step, size, first, end, support, weight }: TapOptions): FilterTaps {
  const starts = new Int32Array(size);
  const counts = new Int32Array(size);
  let most = 1;
  for (let i = 0; i < size; i++) {
    const centre = low + (i + 0.5) * step;
    starts[i] = Math.max(first, Math.trunc(centre - support + 0.5));
    counts[i] = Math.min(end, Math.trunc(centre + support + 0.5)) - starts[i];
    most = Math.max(most, counts[i]);
  }
  const weights = new Float64Array(size * most);
  for (let i = 0; i < size; i++) {
    const centre = low + (i + 0.5) * step;
    const row = weights.subarray(i * most, i * most + Math.max(counts[i], 0));
    let sum = 0;
    for (let j = 0; j < row.length; j++) {
      row[j] = weight(starts[i] + j - centre + 0.5);
      sum += row[j];
    }
    for (let j = 0; j < row.length; j++) row[j] /= sum;
  }
  return { starts, counts, most, weights };
}
