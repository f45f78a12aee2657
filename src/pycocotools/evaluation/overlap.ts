/** How much a detection and a ground truth overlap, by the type of evaluation. */

import { xywhIou } from '../../core/boxes.js';
import { UserError } from '../../core/errors.js';
import { boundaryOf } from '../mask/boundary.js';
import { type MeasuredMask, maskIou, measureMask, runIou } from '../mask/iou.js';
import { type Rle, toBox } from '../mask/rle.js';
import { type AnnotationTable, Shape } from '../table/annotation-table.js';
import type { ImageSizes, Instances } from './instances.js';
import type { Params } from './params.js';
import { pairwiseSum } from './sum.js';

export interface Overlap {
  /** Fills `out` [detections, truths], row-major; both are positions in the instances. */
  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void;
}

/** Detections or ground truths: what is evaluated, and the table behind it. */
export interface Side {
  readonly table: AnnotationTable;
  readonly instances: Instances;
  /** The file, for messages. */
  readonly where: string;
}

/** @throws UserError naming the first annotation without what this type of evaluation compares */
export function overlapOf(dt: Side, gt: Side, sizes: ImageSizes, params: Params): Overlap {
  switch (params.iouType) {
    case 'bbox':
      return new BoxOverlap(boxes(dt), boxes(gt), gt.instances.crowd);
    case 'segm': {
      requireMasks(gt);
      const [detections, truths] = [masks(dt, sizes, true), masks(gt, sizes)];
      return new MaskOverlap(
        (d) => measureMask(detections(d)),
        (g) => measureMask(truths(g)),
        gt.instances.crowd,
        maskIou,
      );
    }
    case 'boundary': {
      requireMasks(gt);
      const [detections, truths] = [masks(dt, sizes), masks(gt, sizes)];
      const measure = (mask: Rle) => ({
        ...measureMask(mask),
        boundary: boundaryOf(mask, params.dilationRatio),
      });
      return new MaskOverlap(
        (d) => measure(detections(d)),
        (g) => measure(truths(g)),
        gt.instances.crowd,
        boundaryIou,
      );
    }
    case 'keypoints': {
      const [detections, truths] = [keypoints(dt, params), keypoints(gt, params)];
      // Results of boxes or masks: said even where nothing would be compared.
      if (dt.instances.row.every((row) => dt.table.columns.keypointCount[row] === 0)) {
        for (let i = 0; i < dt.instances.count; i++) detections(i);
      }
      return new KeypointOverlap(params.kptOksSigmas, detections, truths, boxes(gt), gt.instances.area);
    }
  }
}

/** Flat [count, 4] boxes. */
function boxes({ table, instances, where }: Side): Float64Array {
  const flat = new Float64Array(4 * instances.count);
  const { box } = table.columns;
  for (let i = 0; i < instances.count; i++) {
    const row = instances.row[i];
    const from = 4 * row;
    // Results of masks have the boxes of their masks.
    if (!table.hasBox(row) && table.hasRuns(row)) box.set(toBox(table.mask(row, 0, 0)), from);
    for (let c = 0; c < 4; c++) {
      const value = box[from + c];
      if (!Number.isFinite(value)) {
        throw new UserError(`annotation ${instances.id[i]} needs four finite numbers [x, y, width, height]`, {
          where,
          key: 'bbox',
          ...(table.hasBox(row) && { value: [...box.subarray(from, from + 4)].map(String) }),
        });
      }
      flat[4 * i + c] = value;
    }
  }
  return flat;
}

/** Results of boxes have their boxes as masks, as `loadRes` gives them; a ground truth without a mask is a mistake. */
function requireMasks({ table, instances, where }: Side): void {
  const missing = instances.row.findIndex((row) => table.columns.shape[row] === Shape.none);
  if (missing < 0) return;
  throw new UserError(`annotation ${instances.id[missing]} has no mask to compare with`, {
    where,
    key: 'segmentation',
    remedy: 'give it polygons or runs, or compare boxes: --type bbox',
  });
}

type MaskOf = (position: number) => Rle;

/** @param reuse each mask is good until the next one only */
function masks({ table, instances, where }: Side, sizes: ImageSizes, reuse = false): MaskOf {
  return (i) => {
    const height = sizes.height[instances.image[i]];
    const width = sizes.width[instances.image[i]];
    let mask: Rle;
    try {
      mask = table.mask(instances.row[i], height, width, reuse);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new UserError(`annotation ${instances.id[i]}: ${error.message}`, {
        where,
        key: 'segmentation',
        cause: error,
      });
    }
    // Not comparable, and never meant: mostly height and width in the wrong order.
    if ((mask.height !== height || mask.width !== width) && !Number.isNaN(height) && !Number.isNaN(width)) {
      throw new UserError(
        `annotation ${instances.id[i]} has a mask of ${mask.height} x ${mask.width} (rows x columns) on an image of ${height} x ${width}`,
        { where, key: 'segmentation' },
      );
    }
    return mask;
  };
}

/** Checks what is compared only: other categories of the same file have other points, or none. */
function keypoints(
  { table, instances, where }: Side,
  { kptOksSigmas }: Params,
): (position: number) => Float64Array {
  const expected = 3 * kptOksSigmas.length;
  return (i) => {
    const points = table.keypointsOf(instances.row[i]);
    if (points.length === expected) return points;
    throw new UserError(
      `annotation ${instances.id[i]} needs [x, y, v] of ${kptOksSigmas.length} keypoints: ${expected} numbers`,
      { where, key: 'keypoints', value: `${points.length} numbers` },
    );
  };
}

class BoxOverlap implements Overlap {
  readonly #detections: Float64Array;
  readonly #truths: Float64Array;
  readonly #crowd: Uint8Array;

  constructor(detections: Float64Array, truths: Float64Array, crowd: Uint8Array) {
    this.#detections = detections;
    this.#truths = truths;
    this.#crowd = crowd;
  }

  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void {
    let at = 0;
    for (const d of detections) {
      for (const g of truths) {
        out[at++] = xywhIou(this.#detections, d, this.#truths, g, this.#crowd[g] === 1);
      }
    }
  }
}

/** Masks, with whatever is measured of each of them once. */
class MaskOverlap<Measured> implements Overlap {
  readonly #detections: (position: number) => Measured;
  readonly #truths: (position: number) => Measured;
  readonly #crowd: Uint8Array;
  readonly #iou: (detection: Measured, truth: Measured, crowd: boolean) => number;

  constructor(
    detections: (position: number) => Measured,
    truths: (position: number) => Measured,
    crowd: Uint8Array,
    iou: (detection: Measured, truth: Measured, crowd: boolean) => number,
  ) {
    this.#detections = detections;
    this.#truths = truths;
    this.#crowd = crowd;
    this.#iou = iou;
  }

  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void {
    const gts = Array.from(truths, (g) => this.#truths(g));
    let at = 0;
    for (const d of detections) {
      const dt = this.#detections(d);
      for (let g = 0; g < gts.length; g++) out[at++] = this.#iou(dt, gts[g], this.#crowd[truths[g]] === 1);
    }
  }
}

interface MaskWithBoundary extends MeasuredMask {
  readonly boundary: Rle;
}

/** The smaller of mask IoU and IoU of the boundaries (Cheng et al., Boundary IoU, CVPR 2021); crowds by mask only. */
function boundaryIou(detection: MaskWithBoundary, truth: MaskWithBoundary, crowd: boolean): number {
  const iou = maskIou(detection, truth, crowd);
  return iou > 0 && !crowd ? Math.min(iou, runIou(detection.boundary, truth.boundary, false)) : iou;
}

/** Object keypoint similarity. */
class KeypointOverlap implements Overlap {
  readonly #variances: number[];
  readonly #detections: (position: number) => Float64Array;
  readonly #truths: (position: number) => Float64Array;
  readonly #boxes: Float64Array;
  readonly #areas: Float64Array;

  constructor(
    sigmas: readonly number[],
    detections: (position: number) => Float64Array,
    truths: (position: number) => Float64Array,
    boxes: Float64Array,
    areas: Float64Array,
  ) {
    this.#variances = sigmas.map((sigma) => sigma * 2 * (sigma * 2));
    this.#detections = detections;
    this.#truths = truths;
    this.#boxes = boxes;
    this.#areas = areas;
  }

  fill(detections: Int32Array, truths: Int32Array, out: Float64Array): void {
    const terms = new Float64Array(this.#variances.length);
    let at = 0;
    for (const d of detections) {
      const dt = this.#detections(d);
      for (const g of truths) out[at++] = this.#similarity(dt, g, terms);
    }
  }

  #similarity(dt: Float64Array, g: number, terms: Float64Array): number {
    const gt = this.#truths(g);
    const n = this.#variances.length;
    let labelled = 0;
    for (let k = 0; k < n; k++) if (gt[3 * k + 2] > 0) labelled++;
    const [x, y, w, h] = this.#boxes.subarray(4 * g, 4 * g + 4);
    let count = 0;
    for (let k = 0; k < n; k++) {
      if (labelled > 0 && !(gt[3 * k + 2] > 0)) continue;
      let dx = dt[3 * k] - gt[3 * k];
      let dy = dt[3 * k + 1] - gt[3 * k + 1];
      if (labelled === 0) {
        // Distance from the box, doubled on each side.
        dx = Math.max(0, x - w - dt[3 * k]) + Math.max(0, dt[3 * k] - (x + w * 2));
        dy = Math.max(0, y - h - dt[3 * k + 1]) + Math.max(0, dt[3 * k + 1] - (y + h * 2));
      }
      const e = (dx * dx + dy * dy) / this.#variances[k] / (this.#areas[g] + Number.EPSILON) / 2;
      terms[count++] = Math.exp(-e);
    }
    return pairwiseSum(terms, 0, count) / count;
  }
}
