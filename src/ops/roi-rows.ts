/**
 * RoIAlign over the levels of a feature pyramid as one sparse matrix (the rows), for the host: a pooled value is a weighted
 * sum of cells, and the weights depend on the box only. `roi-align-axis.ts` has the definition, `roi-align-weights.ts` the
 * same for one map as a dense matrix. The samples of a bin are merged first, so a cell appears once in a row.
 *
 * Letters: R boxes, P bins along a side, N images, H and W of a map. The cells of all maps stand below each other: level
 * by level, in each level [N, H, W] row-major.
 */

import { CsrBuilder, type CsrMatrix, transposeCsr } from './csr.js';
import { AxisWeights, type RoiAlignAxis } from './roi-align-axis.js';

/** A level of the pyramid, of one image; all images have the same. */
export interface FeatureMap {
  readonly height: number;
  readonly width: number;
  /** Pixels from one cell to the next. */
  readonly stride: number;
}

export interface Rois {
  /** [R, 4] xyxy in pixels of the padded input */
  readonly boxes: Float32Array;
  /** [R] image of each box, 0 to N - 1 */
  readonly images: Int32Array;
  /** [R] position in `maps` of the level that each box is pooled from */
  readonly levels: Uint8Array;
}

export interface RoiRowsOptions {
  readonly maps: readonly FeatureMap[];
  /** N */
  readonly images: number;
  /** P */
  readonly bins: number;
  /** Samples along a side of a bin; 0, the default, for as many as it spans cells. */
  readonly samplingRatio?: number;
  /** True by default: Detectron2's ROIAlignV2. */
  readonly aligned?: boolean;
}

/** The matrix [R P P, cells] and its transpose [cells, R P P]. */
export interface RoiRows {
  readonly matrix: CsrMatrix;
  readonly transpose: CsrMatrix;
}

/** Entries of a row, on average over the sizes that occur; only a guess of the memory that is needed. */
const ENTRIES_PER_ROW = 12;

/** Rows for the cells of all levels and images. */
export function cellCount(maps: readonly FeatureMap[], images: number): number {
  return maps.reduce((sum, { height, width }) => sum + images * height * width, 0);
}

/** The row of each level's first cell. */
export function firstCells(maps: readonly FeatureMap[], images: number): number[] {
  return maps.map((_, level) => cellCount(maps.slice(0, level), images));
}

/** @throws RangeError when lengths differ, or a box has no image or level */
export function roiRows(rois: Rois, options: RoiRowsOptions): RoiRows {
  const { maps, images } = options;
  checkRois(rois, options);
  const matrix = pooledRows(rois, options);
  return { matrix, transpose: transposeCsr(matrix, cellCount(maps, images)) };
}

function pooledRows(rois: Rois, { maps, images, bins, ...rest }: RoiRowsOptions): CsrMatrix {
  const { samplingRatio = 0, aligned = true } = rest;
  const firsts = firstCells(maps, images);
  const longest = Math.max(1, ...maps.map(({ height, width }) => Math.max(height, width)));
  const [rows, columns] = [new AxisWeights(bins, longest), new AxisWeights(bins, longest)];
  const count = rois.images.length;
  const builder = new CsrBuilder(count * bins * bins, count * bins * bins * ENTRIES_PER_ROW);
  for (let r = 0; r < count; r++) {
    const level = rois.levels[r];
    const { height, width, stride } = maps[level];
    const [left, top, right, bottom] = rois.boxes.subarray(4 * r, 4 * r + 4);
    const axis: RoiAlignAxis = { spatialScale: 1 / stride, samplingRatio, aligned };
    columns.set(left, right, width, axis);
    rows.set(top, bottom, height, axis);
    builder.reserve(rows.total() * columns.total());
    addBox(builder, rows, columns, firsts[level] + rois.images[r] * height * width, width);
  }
  return builder.finish();
}

/** @param origin the map's first cell of the box's image */
function addBox(
  builder: CsrBuilder,
  rows: AxisWeights,
  columns: AxisWeights,
  origin: number,
  width: number,
): void {
  for (let i = 0; i < rows.bins; i++) {
    for (let j = 0; j < columns.bins; j++) {
      for (let y = 0; y < rows.count[i]; y++) {
        const weight = rows.weights[i * rows.stride + y];
        const cell = origin + (rows.first[i] + y) * width + columns.first[j];
        const from = j * columns.stride;
        for (let x = 0; x < columns.count[j]; x++) builder.add(cell + x, weight * columns.weights[from + x]);
      }
      builder.endRow();
    }
  }
}

function checkRois({ boxes, images, levels }: Rois, options: RoiRowsOptions): void {
  const count = images.length;
  if (boxes.length !== 4 * count || levels.length !== count) {
    throw new RangeError(
      `roiRows: ${boxes.length} numbers of boxes and ${levels.length} levels do not fit ${count} images`,
    );
  }
  for (let r = 0; r < count; r++) {
    if (!(images[r] >= 0 && images[r] < options.images))
      throw new RangeError(`roiRows: box ${r} is of image ${images[r]}, but there are ${options.images}`);
    if (levels[r] >= options.maps.length)
      throw new RangeError(
        `roiRows: box ${r} is of level ${levels[r]}, but there are ${options.maps.length}`,
      );
    for (let i = 4 * r; i < 4 * r + 4; i++)
      if (!Number.isFinite(boxes[i])) throw new RangeError(`roiRows: box ${r} is not finite`);
  }
}
