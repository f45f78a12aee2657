/**
 * RoIAlign (He et al., Mask R-CNN, 2017) as a matrix: each pooled value is a weighted sum of the cells of the feature
 * map, and the weights depend on the box only. The host computes them, the graph multiplies (`roi-align.ts`).
 *
 * The definition is torchvision's. A box is divided into P x P bins, a bin is sampled on a regular grid, samples are
 * interpolated bilinearly and averaged. A sample farther than one cell before the first or behind the border of the
 * map counts as 0; nearer ones are clamped into it. All of that is separable, so the weights of a bin are the product
 * of one weight for each row and one for each column of the map.
 *
 * The number of samples is a ceiling of the box's side in cells, so that side is computed in float32 as torchvision does:
 * in double precision a side of 2 cells may come out a little longer, and get three samples.
 * Letters: R boxes, H and W cells of the map, P bins along a side.
 */

export interface RoiAlignOptions {
  /** H and W */
  height: number;
  width: number;
  /** Cells per pixel of the boxes, e.g. 1/32. */
  spatialScale: number;
  /** Samples along a side of a bin; 0 or less for as many as the bin spans cells, rounded up. */
  samplingRatio: number;
  /** Shifts boxes by half a cell, so that cell k is centred on k + 0.5; otherwise boxes have at least one cell's side. */
  aligned: boolean;
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
  const rows = new Float64Array(bins * height);
  const columns = new Float64Array(bins * width);
  let at = 0;
  for (let r = 0; r < count; r++) {
    if (valid !== undefined && valid[r % valid.length] === 0) {
      at += bins * bins * height * width;
      continue;
    }
    axisWeights(boxes[4 * r], boxes[4 * r + 2], width, options, columns);
    axisWeights(boxes[4 * r + 1], boxes[4 * r + 3], height, options, rows);
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

/**
 * The weights along one axis.
 *
 * @param low, high of the box, in pixels
 * @param cells of the map along this axis
 * @param out receives [P, cells]
 */
function axisWeights(
  low: number,
  high: number,
  cells: number,
  options: RoiAlignOptions,
  out: Float64Array,
): void {
  const { spatialScale, samplingRatio, aligned, outputSize: bins = 1 } = options;
  const shift = aligned ? 0.5 : 0;
  const scale = Math.fround(spatialScale);
  const start = Math.fround(Math.fround(low * scale) - shift);
  const end = Math.fround(Math.fround(high * scale) - shift);
  const extent = Math.fround(end - start);
  const bin = Math.fround((aligned ? extent : Math.max(extent, 1)) / bins);
  const samples = samplingRatio > 0 ? samplingRatio : Math.ceil(bin);
  out.fill(0);
  for (let b = 0; b < bins; b++) {
    for (let k = 0; k < samples; k++) {
      addSample(start + bin * (b + (k + 0.5) / samples), 1 / samples, cells, b * cells, out);
    }
  }
}

/** Adds a sample's share to the two cells between which it lies. */
function addSample(position: number, share: number, cells: number, offset: number, out: Float64Array): void {
  if (position < -1 || position > cells) return;
  const clamped = Math.min(Math.max(position, 0), cells - 1);
  const cell = Math.floor(clamped);
  const rest = clamped - cell;
  out[offset + cell] += (1 - rest) * share;
  if (rest > 0) out[offset + cell + 1] += rest * share;
}
