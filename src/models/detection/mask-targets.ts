/**
 * What the mask head learns from: each object's outline inside a box, drawn on M x M cells.
 *
 * Polygons are moved and scaled to the box and filled by COCO's rule; runs are pooled by RoIAlign from the binary mask and
 * cut at one half. Both as Detectron2 does, including the least side of 0.1 pixels that polygons are scaled by.
 */

import { AxisWeights, type RoiAlignAxis } from '../../ops/roi-align-axis.js';
import type { Outline } from '../../pycocotools/mask/outline.js';
import { polygonToRle } from '../../pycocotools/mask/polygon.js';
import { decode, merge, type Rle } from '../../pycocotools/mask/rle.js';

const LEAST_SIDE = 0.1;

/**
 * @param outlines of an image's objects, in the resized image
 * @param boxes [F, 4] to draw in
 * @param objects [F] whose outline
 * @param size M
 * @returns [F, M, M] ones and zeros
 */
export function maskTargets(
  outlines: readonly Outline[],
  boxes: Float32Array,
  objects: Int32Array,
  size: number,
): Float32Array {
  const targets = new Float32Array(objects.length * size * size);
  for (let f = 0; f < objects.length; f++) {
    const target = maskTarget(outlines[objects[f]], boxes.subarray(4 * f, 4 * f + 4), size);
    targets.set(target, f * size * size);
  }
  return targets;
}

/** @param box [4]  @returns [M, M] ones and zeros, row-major */
export function maskTarget(outline: Outline, box: Float32Array, size: number): Uint8Array {
  return 'runs' in outline ? poolRuns(outline.runs, box, size) : fillPolygons(outline.polygons, box, size);
}

function fillPolygons(polygons: readonly ArrayLike<number>[], box: Float32Array, size: number): Uint8Array {
  const scales = [size / Math.max(box[2] - box[0], LEAST_SIDE), size / Math.max(box[3] - box[1], LEAST_SIDE)];
  const parts = polygons.map((polygon) => {
    const moved = Float64Array.from(polygon, (value, i) => (value - box[i % 2]) * scales[i % 2]);
    return polygonToRle(moved, size, size);
  });
  const columns = decode(merge(parts));
  // Runs go down the columns.
  return Uint8Array.from(
    { length: size * size },
    (_, i) => columns[(i % size) * size + Math.floor(i / size)],
  );
}

const PIXELS: RoiAlignAxis = { spatialScale: 1, samplingRatio: 0, aligned: true };

function poolRuns(runs: Rle, box: Float32Array, size: number): Uint8Array {
  const longest = Math.max(runs.height, runs.width);
  const [rows, columns] = [new AxisWeights(size, longest), new AxisWeights(size, longest)];
  columns.set(box[0], box[2], runs.width, PIXELS);
  rows.set(box[1], box[3], runs.height, PIXELS);
  const [first, last] = range(columns);
  const pixels = decodeColumns(runs, first, last);
  const pooled = new Float64Array(size * size);
  const sums = new Float64Array(size);
  for (let x = first; x < last; x++) {
    sumRows(rows, pixels.subarray((x - first) * runs.height, (x - first + 1) * runs.height), sums);
    for (let j = 0; j < size; j++) {
      const at = x - columns.first[j];
      if (at < 0 || at >= columns.count[j]) continue;
      const weight = columns.weights[j * columns.stride + at];
      for (let i = 0; i < size; i++) pooled[i * size + j] += weight * sums[i];
    }
  }
  return Uint8Array.from(pooled, (value) => (Math.fround(value) >= 0.5 ? 1 : 0));
}

/** The cells that the bins of an axis touch, from the first to before the last. */
function range({ bins, first, count }: AxisWeights): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (let b = 0; b < bins; b++) {
    if (count[b] === 0) continue;
    low = Math.min(low, first[b]);
    high = Math.max(high, first[b] + count[b]);
  }
  return [Math.min(low, high), high];
}

/** For each bin of an axis the weighted sum of the pixels of a line. */
function sumRows(
  { bins, first, count, weights, stride }: AxisWeights,
  line: Uint8Array,
  out: Float64Array,
): void {
  for (let b = 0; b < bins; b++) {
    let sum = 0;
    for (let k = 0; k < count[b]; k++) sum += weights[b * stride + k] * line[first[b] + k];
    out[b] = sum;
  }
}

/** Some columns of a mask, dense. @param first, last from which to before which  @returns [columns, height] */
function decodeColumns({ height, counts }: Rle, first: number, last: number): Uint8Array {
  const pixels = new Uint8Array(Math.max(last - first, 0) * height);
  let at = -first * height;
  for (let i = 0; i < counts.length && at < pixels.length; i++) {
    const end = at + counts[i];
    if (i % 2 === 1 && end > 0) pixels.fill(1, Math.max(at, 0), Math.min(end, pixels.length));
    at = end;
  }
  return pixels;
}
