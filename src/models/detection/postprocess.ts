/**
 * From the box head's outputs to detections: every class of every box with a high enough score, duplicates of a class
 * suppressed, the best kept; and from the resized image to the output's size.
 */

import { takeRows } from '../../core/array.js';
import { clipBoxes, hasArea } from './boxes.js';
import { allFinite } from './divergence.js';
import { nonMaximumSuppression } from './nms.js';

/** What was found in an image, highest score first. */
export interface Detections {
  /** [D, 4] xyxy in pixels */
  readonly boxes: Float32Array;
  /** [D] */
  readonly scores: Float32Array;
  /** [D] 0 to K - 1 */
  readonly classes: Int32Array;
  /** [D] proposal that each comes from */
  readonly rows: Int32Array;
}

export interface DetectionOptions {
  /** Of the resized image without padding, in pixels. */
  readonly height: number;
  readonly width: number;
  /** A score must be above it; 0.05 by default. */
  readonly scoreThreshold?: number;
  /** 0.5 by default. */
  readonly nmsThreshold?: number;
  /** 100 by default. */
  readonly keep?: number;
}

/**
 * @param boxes [R, K 4] decoded box of every class, not clipped
 * @param scores [R, K + 1] probabilities, background last
 */
export function selectDetections(
  boxes: Float32Array,
  scores: Float32Array,
  classes: number,
  { height, width, scoreThreshold = 0.05, nmsThreshold = 0.5, keep = 100 }: DetectionOptions,
): Detections {
  const pairs = pairsAbove(boxes, scores, classes, scoreThreshold);
  const candidates = {
    boxes: clipBoxes(takeRows(boxes, pairs, 4), width, height),
    scores: Float32Array.from(pairs, (pair) => scores[pair + Math.floor(pair / classes)]),
    classes: pairs.map((pair) => pair % classes),
    rows: pairs.map((pair) => Math.floor(pair / classes)),
  };
  const kept = nonMaximumSuppression(candidates.boxes, candidates.scores, candidates.classes, {
    threshold: nmsThreshold,
    limit: keep,
  });
  return takeDetections(candidates, kept);
}

/** Row times K plus class of what has a high enough score; rows with anything that is not finite have none. */
function pairsAbove(
  boxes: Float32Array,
  scores: Float32Array,
  classes: number,
  threshold: number,
): Int32Array {
  const pairs: number[] = [];
  const width = classes + 1;
  // Rounded as the scores are, so that one of exactly 0.05 is not above 0.05.
  const least = Math.fround(threshold);
  for (let row = 0; row * width < scores.length; row++) {
    if (!allFinite(scores, row * width, (row + 1) * width)) continue;
    if (!allFinite(boxes, row * classes * 4, (row + 1) * classes * 4)) continue;
    for (let k = 0; k < classes; k++) if (scores[row * width + k] > least) pairs.push(row * classes + k);
  }
  return Int32Array.from(pairs);
}

/** Some of the detections, in the order of `kept`. */
export function takeDetections({ boxes, scores, classes, rows }: Detections, kept: Int32Array): Detections {
  return {
    boxes: takeRows(boxes, kept, 4),
    scores: takeRows(scores, kept, 1),
    classes: kept.map((i) => classes[i]),
    rows: kept.map((i) => rows[i]),
  };
}

/** Height and width in pixels. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** Moves detections from the resized image to the output, clips them, and drops those that are left without area. */
export function rescaleDetections(found: Detections, from: ImageSize, to: ImageSize): Detections {
  const scales = [to.width / from.width, to.height / from.height];
  const boxes = clipBoxes(
    found.boxes.map((edge, i) => edge * scales[i % 2]),
    to.width,
    to.height,
  );
  const kept = found.rows.map((_, i) => i).filter((i) => hasArea(boxes, i));
  return takeDetections({ ...found, boxes }, kept);
}
