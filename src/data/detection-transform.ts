/**
 * What happens to an image and its objects before a detector sees them: resizing, then mirroring, as in Detectron2.
 *
 * Boxes and polygons are scaled in double precision and kept in float32 and double; masks of runs take the nearest pixel.
 * Boxes are clipped to the resized image, and objects of which nothing is left are dropped.
 */

import { takeRows } from '../core/array.js';
import { RandomStream } from '../core/rng.js';
import { nearestIndices } from '../image/resize-nearest.js';
import type { Outline } from '../pycocotools/mask/outline.js';
import { area, decode, encode, type Rle } from '../pycocotools/mask/rle.js';
import type { DetectionObjects } from './detection-records.js';
import { shortestEdgeSize } from './shortest-edge.js';

/** Detectron2's: an object with a side of this or less is none. Pixels. */
export const LEAST_SIDE = 1e-5;

export interface DetectionAugmentation {
  /** One is drawn for each image. Pixels. */
  shortEdges: readonly number[];
  /** No side gets longer. Pixels. */
  maxSize: number;
  /** How likely an image is mirrored left to right. */
  flipProbability: number;
}

/** What becomes of one image. */
export interface DetectionPlan {
  /** Of the upright file, pixels. */
  from: { width: number; height: number };
  /** After resizing, pixels. */
  to: { width: number; height: number };
  flipped: boolean;
}

/** Depends on its arguments only. */
export function planDetection(
  { shortEdges, maxSize, flipProbability }: DetectionAugmentation,
  { width, height }: { width: number; height: number },
  { seed, epoch, image }: { seed: number; epoch: number; image: number },
): DetectionPlan {
  const stream = new RandomStream(seed, 'detection', epoch, image);
  const shortEdge = shortEdges[stream.integer(0, shortEdges.length)];
  return {
    from: { width, height },
    to: shortestEdgeSize(width, height, shortEdge, maxSize),
    flipped: stream.chance(flipProbability),
  };
}

/** Moves objects along with their image. @returns boxes in float32, clipped; dropped objects are in none of the arrays */
export function transformObjects(objects: DetectionObjects, plan: DetectionPlan): DetectionObjects {
  const boxes = transformBoxes(objects.boxes, plan);
  const outlines = objects.outlines?.map((outline) => transformOutline(outline, plan));
  const kept = Array.from(objects.ids, (_, i) => i).filter(
    (i) => hasArea(boxes, i) && (outlines === undefined || !isEmpty(outlines[i]) || objects.crowd[i] === 1),
  );
  return {
    ids: Float64Array.from(kept, (i) => objects.ids[i]),
    boxes: takeRows(boxes, kept, 4),
    classes: Int32Array.from(kept, (i) => objects.classes[i]),
    crowd: Uint8Array.from(kept, (i) => objects.crowd[i]),
    ...(outlines && { outlines: kept.map((i) => outlines[i]) }),
  };
}

function transformBoxes(boxes: Float32Array, { from, to, flipped }: DetectionPlan): Float32Array {
  const [scaleX, scaleY] = [to.width / from.width, to.height / from.height];
  const result = new Float32Array(boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    let [left, right] = [boxes[i] * scaleX, boxes[i + 2] * scaleX];
    if (flipped) [left, right] = [to.width - right, to.width - left];
    result[i] = clamp(left, to.width);
    result[i + 1] = clamp(boxes[i + 1] * scaleY, to.height);
    result[i + 2] = clamp(right, to.width);
    result[i + 3] = clamp(boxes[i + 3] * scaleY, to.height);
  }
  return result;
}

function transformOutline(outline: Outline, plan: DetectionPlan): Outline {
  if ('runs' in outline) return { runs: transformRuns(outline.runs, plan) };
  const { from, to, flipped } = plan;
  const [scaleX, scaleY] = [to.width / from.width, to.height / from.height];
  return {
    polygons: outline.polygons.map((polygon) =>
      Float64Array.from(polygon, (value, i) => {
        if (i % 2 === 1) return value * scaleY;
        return flipped ? to.width - value * scaleX : value * scaleX;
      }),
    ),
  };
}

function transformRuns(runs: Rle, { to, flipped }: DetectionPlan): Rle {
  const source = decode(runs);
  const columns = nearestIndices(runs.width, to.width);
  const rows = nearestIndices(runs.height, to.height);
  if (flipped) columns.reverse();
  const target = new Uint8Array(to.width * to.height);
  for (let x = 0, at = 0; x < to.width; x++) {
    const column = columns[x] * runs.height;
    for (let y = 0; y < to.height; y++) target[at++] = source[column + rows[y]];
  }
  return encode(target, to.height, to.width);
}

function hasArea(boxes: Float32Array, i: number): boolean {
  const [left, top, right, bottom] = boxes.subarray(4 * i, 4 * i + 4);
  return Math.fround(right - left) > LEAST_SIDE && Math.fround(bottom - top) > LEAST_SIDE;
}

function isEmpty(outline: Outline): boolean {
  return 'runs' in outline ? area(outline.runs) === 0 : outline.polygons.length === 0;
}

function clamp(value: number, highest: number): number {
  return Math.min(Math.max(value, 0), highest);
}
