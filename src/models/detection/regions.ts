/** What both the training and the inference step say to the graph about regions: pooling of boxes, pixels of a class. */

import { joined } from '../../core/array.js';
import { type RoiRows, type RoiRowsOptions, roiRows } from '../../ops/roi-rows.js';
import type { AnchorGrid } from './anchors.js';
import { assignLevels } from './level-assignment.js';
import { MASK_SIDE } from './mask-head.js';

/** Levels that regions are pooled from: p2 to p5. */
const POOLED_LEVELS = 4;

/**
 * RoIAlign of boxes of several images, image by image.
 *
 * @param boxes [N] of each image, [R, 4] in pixels of the resized image
 * @param bins along a side
 */
export function regionRows(boxes: readonly Float32Array[], grid: AnchorGrid, bins: number): RoiRows {
  const all = joined(boxes);
  const images = boxes.flatMap((own, n) => new Array<number>(own.length / 4).fill(n));
  const options: RoiRowsOptions = { maps: grid.levels.slice(0, POOLED_LEVELS), images: boxes.length, bins };
  return roiRows({ boxes: all, images: Int32Array.from(images), levels: assignLevels(all) }, options);
}

/** Positions of one class's pixels in masks [M, 28, 28, K]. @param labels [M] the class of each mask */
export function classPixels(labels: ArrayLike<number>, classes: number): Int32Array {
  const pixels = MASK_SIDE ** 2;
  const found = new Int32Array(labels.length * pixels);
  for (let i = 0; i < found.length; i++) found[i] = i * classes + labels[Math.floor(i / pixels)];
  return found;
}
