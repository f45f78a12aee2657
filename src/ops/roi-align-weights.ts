/**
 * RoIAlign (He et al., Mask R-CNN, 2017) as a matrix: each pooled value is a weighted sum of the cells of the feature
 * map, and the weights depend on the box only. The host computes them, the graph multiplies (`roi-align.ts`).
 *
 * Pooling is separable: the weights of a bin are the product of one for each row and one for each column of the map
 * (`roi-align-axis.ts` has the definition). Letters: R boxes, H and W cells of the map, P bins along a side.
 */

import { AxisWeights, type RoiAlignAxis } from './roi-align-axis.js';

export interface RoiAlignOptions extends RoiAlignAxis {
  /** H and W */
  height: number;
  width: number;
  /** P, 1 by default. */
  outputSize?: number;
}

/**
 * @param boxes [R, 4] xyxy in pixels
 * @param options of the pooling
 * @param valid 0 for padding, whose weights are zero. Shorter than R, it repeats: [N, K] serves boxes [2N, K, 4].
 * @returns [R, P P, H W] row-major, which is [R, H W] for P = 1
 * @throws RangeError when the lengths do not fit
 */
export function roiAlignWeights(
  boxes: Float32Array,
  options: RoiAlignOptions,
  valid?: Uint8Array,
): Float32Array {
  const { height, width, outputSize: bins = 1 } = options;
  const count = boxes.length / 4;
  if (!Number.isInteger(count))
    throw new RangeError(`roiAlignWeights: ${boxes.length} numbers are no boxes [R, 4]`);
  if (valid !== undefined && count > 0 && count % valid.length !== 0) {
    throw new RangeError(`roiAlignWeights: ${valid.length} flags do not fit ${count} boxes`);
  }
  const weights = new Float32Array(count * bins * bins * height * width);
  const axis = new AxisWeights(bins, Math.max(height, width));
  const rows = new Float64Array(bins * height);
  const columns = new Float64Array(bins * width);
  let at = 0;
  for (let r = 0; r < count; r++) {
    if (valid !== undefined && valid[r % valid.length] === 0) {
      at += bins * bins * height * width;
      continue;
    }
    axis.set(boxes[4 * r], boxes[4 * r + 2], width, options);
    spread(axis, width, columns);
    axis.set(boxes[4 * r + 1], boxes[4 * r + 3], height, options);
    spread(axis, height, rows);
    for (let binY = 0; binY < bins; binY++) {
      for (let binX = 0; binX < bins; binX++) {
        for (let y = binY * height; y < (binY + 1) * height; y++) {
          for (let x = binX * width; x < (binX + 1) * width; x++) weights[at++] = rows[y] * columns[x];
        }
      }
    }
  }
  return weights;
}

/** @param out receives [P, cells] */
function spread(
  { bins, first, count, weights, stride }: AxisWeights,
  cells: number,
  out: Float64Array,
): void {
  out.fill(0);
  for (let b = 0; b < bins; b++)
    out.set(weights.subarray(b * stride, b * stride + count[b]), b * cells + first[b]);
}
