/**
 * pycocotools' `mask` module: `encode`, `decode`, `merge`, `area`, `toBbox`, `iou`, `frPyObjects`.
 *
 * Masks cross this interface as COCO writes them: `{size: [height, width], counts}` with `counts` a compressed string,
 * its bytes, or plain run lengths. Dense masks are column-major bytes with their sizes.
 */

import { xywhIou } from '../../core/boxes.js';
import { maskIou, measureMask } from './iou.js';
import { boxToRle, polygonToRle } from './polygon.js';
import * as runs from './rle.js';
import { countsToString, stringToCounts } from './rle-string.js';

export type { Box, Rle } from './rle.js';
export { countsToString, RleStringError, stringToCounts } from './rle-string.js';

/** A mask as COCO's JSON has it. */
export interface RleObject {
  /** [height, width] */
  size: readonly [number, number];
  /** Compressed string (text or bytes), or run lengths that start with zeros. */
  counts: string | Uint8Array | readonly number[] | Uint32Array;
}

/** A dense mask: `data[x * height + y]`, zero or not. */
export interface DenseMask {
  height: number;
  width: number;
  data: Uint8Array;
}

/** @throws RangeError for a size or a count that is no whole number from 0 to 2^31 - 1; RleStringError */
export function toRle({ size, counts }: RleObject): runs.Rle {
  const [height, width] = size;
  for (const side of [height, width]) {
    if (!Number.isInteger(side) || side < 0 || side > 0x7fffffff) {
      throw new RangeError(`invalid RLE: size must be two whole numbers [height, width], not [${size}]`);
    }
  }
  if (counts instanceof Uint32Array) return { height, width, counts };
  if (typeof counts === 'string' || counts instanceof Uint8Array) {
    return { height, width, counts: stringToCounts(counts) };
  }
  counts.forEach((count, i) => {
    if (!Number.isInteger(count) || count < 0 || count > 0x7fffffff) {
      throw new RangeError(`invalid RLE: count ${i} is ${count}; expected a whole number from 0 to 2^31 - 1`);
    }
  });
  return { height, width, counts: Uint32Array.from(counts) };
}

/** The compressed form. */
export function fromRle({ height, width, counts }: runs.Rle): RleObject & { counts: string } {
  return { size: [height, width], counts: countsToString(counts) };
}

export function encode({ data, height, width }: DenseMask): RleObject & { counts: string } {
  return fromRle(runs.encode(data, height, width));
}

/** @throws RangeError when the runs exceed the mask */
export function decode(mask: RleObject): DenseMask {
  const rle = toRle(mask);
  return { height: rle.height, width: rle.width, data: runs.decode(rle) };
}

/** Union, or with `intersect` the intersection; masks of different sizes give an empty mask of size [0, 0]. */
export function merge(masks: readonly RleObject[], intersect = false): RleObject & { counts: string } {
  return fromRle(runs.merge(masks.map(toRle), intersect));
}

/** Pixels. */
export function area(mask: RleObject): number {
  return runs.area(toRle(mask));
}

/** [x, y, width, height] */
export function toBbox(mask: RleObject): [number, number, number, number] {
  return runs.toBox(toRle(mask));
}

/**
 * IoU of each detection with each ground truth; where `iscrowd` is set, intersection over the detection's area.
 *
 * @param detections, truths masks, or boxes [x, y, width, height]; both of one kind
 * @returns row-major [detections][truths]; masks of different sizes have -1
 */
export function iou(
  detections: readonly RleObject[] | readonly runs.Box[],
  truths: readonly RleObject[] | readonly runs.Box[],
  iscrowd: ArrayLike<number | boolean>,
): number[][] {
  if (iscrowd.length !== truths.length) {
    throw new RangeError(`iscrowd has ${iscrowd.length} values for ${truths.length} ground truths`);
  }
  const isBox = (item: RleObject | runs.Box): item is runs.Box => Array.isArray(item);
  const kinds = new Set([...detections, ...truths].map(isBox));
  if (kinds.size > 1) throw new TypeError('iou compares boxes with boxes or masks with masks, not both');
  if (kinds.has(true)) {
    return (detections as readonly runs.Box[]).map((d) =>
      (truths as readonly runs.Box[]).map((g, i) => xywhIou(d, 0, g, 0, Boolean(iscrowd[i]))),
    );
  }
  const measure = (mask: RleObject) => measureMask(toRle(mask));
  const gts = (truths as readonly RleObject[]).map(measure);
  return (detections as readonly RleObject[]).map((detection) => {
    const d = measure(detection);
    return gts.map((g, i) => maskIou(d, g, Boolean(iscrowd[i])));
  });
}

/** Polygons (each x0, y0, x1, y1, ...), one mask each. @throws RangeError for fewer than three points */
export function fromPolygons(
  polygons: readonly (readonly number[])[],
  height: number,
  width: number,
): (RleObject & { counts: string })[] {
  return polygons.map((polygon, i) => {
    if (polygon.length < 6) {
      throw new RangeError(
        `polygon ${i} has ${polygon.length} coordinates; at least three points (6) are needed`,
      );
    }
    return fromRle(polygonToRle(polygon, height, width));
  });
}

/** Boxes [x, y, width, height], one mask each. */
export function fromBoxes(
  boxes: readonly runs.Box[],
  height: number,
  width: number,
): (RleObject & { counts: string })[] {
  return boxes.map((box) => fromRle(boxToRle(box, height, width)));
}

/**
 * pycocotools' dispatch: lists of 4 numbers are boxes, longer lists polygons, objects uncompressed masks. Unlike there,
 * lists of boxes work and one object or one flat list gives one mask. Prefer the functions that say what they take.
 */
export function frPyObjects(
  objects: readonly (readonly number[] | RleObject)[] | RleObject,
  height: number,
  width: number,
): (RleObject & { counts: string })[] {
  const list = Array.isArray(objects)
    ? (objects as readonly (readonly number[] | RleObject)[])
    : [objects as RleObject];
  return list.map((object) => {
    if (!Array.isArray(object)) return fromRle(toRle(object as RleObject));
    const numbers = object as readonly number[];
    return numbers.length === 4
      ? fromBoxes([numbers as unknown as runs.Box], height, width)[0]
      : fromPolygons([numbers], height, width)[0];
  });
}
