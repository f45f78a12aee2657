/**
 * A COCO file as what a detector learns from: per image its file, and the boxes, classes and shapes of its objects.
 *
 * The annotations stay in the columns that they were read into; the objects of an image are taken out when it is loaded.
 * As Detectron2: categories become classes 0 to K - 1 in the order of their ids, polygons of fewer than three points are
 * left out, and an object that has none but such polygons too. Keypoints are not read.
 */

import { consume } from '../pycocotools/dataset/open.js';
import type { CategoryRecord, ImageId } from '../pycocotools/dataset/types.js';
import { fileSource } from '../pycocotools/json/source.js';
import type { Outline } from '../pycocotools/mask/outline.js';
import { type DatasetTable, type ImageRow, readDatasetTable } from '../pycocotools/table/read-dataset.js';

/** The objects of an image, G of them, in the order of the file; pixels of the upright or of the resized picture. */
export interface DetectionObjects {
  /** [G] numbers of the annotations */
  ids: Float64Array;
  /** [G, 4] xyxy, not clipped; sums are rounded to float32, as Detectron2 rounds them */
  boxes: Float32Array;
  /** [G] 0 to K - 1 */
  classes: Int32Array;
  /** [G] 1 for a region of many objects: nothing to learn from, and detections in it count neither way. */
  crowd: Uint8Array;
  /** [G]; absent when masks were not asked for */
  outlines?: Outline[];
}

export interface DetectionRecords {
  /** The annotation file. */
  readonly where: string;
  /** Images that are used, in the order of the file. */
  readonly images: readonly ImageRow[];
  /** Rows of the annotations that are used, by image. */
  readonly rows: readonly Int32Array[];
  readonly table: DatasetTable;
  readonly masks: boolean;
  /** [K] in the order of their ids */
  readonly categories: readonly CategoryRecord[];
  /** Class of each id. */
  readonly classOf: ReadonlyMap<number, number>;
}

/** @throws UserError with the byte of the file: not JSON, wrong types, missing lists or ids */
export function readDetectionRecords(annotations: string, masks: boolean): DetectionRecords {
  const keep = { masks, keypoints: false, files: true, dropInvalidPolygons: true };
  const table = consume(fileSource(annotations), (source) => readDatasetTable(source, keep));
  const categories = [...table.categories].sort((a, b) => a.id - b.id);
  return {
    where: annotations,
    images: table.images,
    rows: groupByImage(table),
    table,
    masks,
    categories,
    classOf: new Map(categories.map(({ id }, i) => [id, i])),
  };
}

/** The id of an image as the file has it. */
export function imageId({ table, images }: DetectionRecords, image: number): ImageId {
  return table.ids.decode(images[image].id);
}

/**
 * @param image position in `records.images`
 * @param crowds whether they are among the objects
 * @throws RangeError, RleStringError for a mask that is none
 */
export function objectsOf(
  { rows, table, masks, classOf }: DetectionRecords,
  image: number,
  crowds = true,
): DetectionObjects {
  const { columns } = table.annotations;
  const own = crowds ? rows[image] : rows[image].filter((row) => columns.crowd[row] === 0);
  const boxes = new Float32Array(4 * own.length);
  own.forEach((row, i) => {
    const [x, y, width, height] = Float32Array.from(columns.box.subarray(4 * row, 4 * row + 4));
    boxes.set([x, y, x + width, y + height], 4 * i);
  });
  const objects = {
    ids: Float64Array.from(own, (row) => columns.id[row]),
    boxes,
    classes: Int32Array.from(own, (row) => classOf.get(columns.category[row]) ?? -1),
    crowd: Uint8Array.from(own, (row) => columns.crowd[row]),
  };
  return masks ? { ...objects, outlines: Array.from(own, (row) => shapeOf(table, row)) } : objects;
}

/** Nothing is in an object without a shape. */
function shapeOf({ annotations }: DatasetTable, row: number): Outline {
  return annotations.outline(row) ?? { polygons: [] };
}

/** Rows of the annotations of each image, in the order of the file; those of unknown images are in none. */
function groupByImage({ images, annotations }: DatasetTable): Int32Array[] {
  const position = new Map(images.map(({ id }, i) => [id, i]));
  const groups: number[][] = images.map(() => []);
  for (let row = 0; row < annotations.count; row++) {
    const image = position.get(annotations.columns.image[row]);
    if (image !== undefined) groups[image].push(row);
  }
  return groups.map((group) => Int32Array.from(group));
}
