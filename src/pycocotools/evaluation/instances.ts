/** The rows of a table that are evaluated, with places in the parameters' lists instead of ids. */

import { UserError } from '../../core/errors.js';
import type { ImageId } from '../dataset/types.js';
import { type AnnotationTable, UNCLEAR } from '../table/annotation-table.js';
import type { ImageRow } from '../table/read-dataset.js';
import type { Federation } from './federated.js';
import type { Params } from './params.js';

/** Annotations of one side, in the order of their file. */
export interface Instances {
  readonly count: number;
  /** Row of the table. */
  readonly row: Int32Array;
  /** Position of the image, and of the category, in the parameters' lists. */
  readonly image: Int32Array;
  readonly category: Int32Array;
  readonly id: Float64Array;
  /** Square pixels. */
  readonly area: Float64Array;
  /** Detections only; empty otherwise. */
  readonly score: Float64Array;
  /** Ground truth only; empty otherwise. */
  readonly crowd: Uint8Array;
  /** Ground truth: not counted. Detections: not counted unless matched. */
  readonly ignore: Uint8Array;
}

/** Lists of ids as maps from id to position. */
export interface Positions {
  readonly images: ReadonlyMap<ImageId, number>;
  /** Undefined: all categories are one. */
  readonly categories: ReadonlyMap<number, number> | undefined;
}

export function positionsOf({ imgIds, catIds, useCats }: Params): Positions {
  const positions = <Id>(ids: readonly Id[]) => new Map(ids.map((id, i) => [id, i]));
  return { images: positions(imgIds), categories: useCats ? positions(catIds) : undefined };
}

/** @throws UserError naming the annotation whose area or score is no finite number */
export function truthsOf(
  table: AnnotationTable,
  positions: Positions,
  params: Params,
  where: string,
): Instances {
  const { columns } = table;
  const { iouType, corrections, federated } = params;
  const selected = select(table, positions, (row) => !(federated && columns.area[row] <= 0));
  const truths = { ...selected, score: new Float64Array() };
  for (let i = 0; i < truths.count; i++) {
    const row = truths.row[i];
    truths.area[i] = finite(columns.area[row], 'area', columns.id[row], where);
    truths.crowd[i] = federated ? 0 : columns.crowd[row];
    const unlabelled = iouType === 'keypoints' && labelledPoints(table, row) === 0;
    const marked = (corrections.ignoreField || federated) && saysIgnore(table, row, where);
    truths.ignore[i] = truths.crowd[i] === 1 || unlabelled || marked ? 1 : 0;
  }
  return truths;
}

/** As `num_keypoints` says or, without it, as many as are labelled: those with v > 0. */
function labelledPoints(table: AnnotationTable, row: number): number {
  const given = table.columns.labelled[row];
  if (!Number.isNaN(given)) return Math.max(0, given);
  return table.keypointsOf(row).filter((value, i) => i % 3 === 2 && value > 0).length;
}

function saysIgnore({ columns }: AnnotationTable, row: number, where: string): boolean {
  const value = columns.ignore[row];
  if (value !== UNCLEAR) return value === 1;
  throw new UserError(`annotation ${columns.id[row]} needs 0 or 1`, { where, key: 'ignore' });
}

/** @throws UserError naming the result whose area or score is no finite number */
export function detectionsOf(
  table: AnnotationTable,
  positions: Positions,
  where: string,
  federation?: Federation,
): Instances {
  const { columns } = table;
  const selected = select(table, positions, federation?.counts ?? (() => true));
  const detections = { ...selected, score: new Float64Array(selected.count), crowd: new Uint8Array() };
  for (let i = 0; i < detections.count; i++) {
    const row = detections.row[i];
    detections.area[i] = finite(columns.area[row], 'area', columns.id[row], where);
    detections.score[i] = finite(columns.score[row], 'score', columns.id[row], where);
    if (federation?.lenient(detections.image[i], detections.category[i])) detections.ignore[i] = 1;
  }
  return detections;
}

function select(
  table: AnnotationTable,
  { images, categories }: Positions,
  counts: Federation['counts'],
): Instances {
  const { columns } = table;
  const row = new Int32Array(table.count);
  const image = new Int32Array(table.count);
  const category = new Int32Array(table.count);
  let count = 0;
  for (let i = 0; i < table.count; i++) {
    const imageAt = images.get(columns.image[i]);
    const categoryAt = categories === undefined ? 0 : categories.get(columns.category[i]);
    if (imageAt === undefined || categoryAt === undefined || !counts(i, imageAt, categoryAt)) continue;
    row[count] = i;
    image[count] = imageAt;
    category[count++] = categoryAt;
  }
  const id = new Float64Array(count);
  for (let i = 0; i < count; i++) id[i] = columns.id[row[i]];
  return {
    count,
    row: row.subarray(0, count),
    image: image.subarray(0, count),
    category: category.subarray(0, count),
    id,
    area: new Float64Array(count),
    score: new Float64Array(),
    crowd: new Uint8Array(count),
    ignore: new Uint8Array(count),
  };
}

const REMEDIES = new Map([
  ['area', 'add to each annotation the pixels of its mask or, without masks, width times height of its box'],
]);

function finite(value: number, key: string, id: number, where: string): number {
  if (Number.isFinite(value)) return value;
  const found = Number.isNaN(value) ? {} : { value: String(value) };
  const remedy = REMEDIES.get(key);
  throw new UserError(`annotation ${id} needs a finite number`, {
    where,
    key,
    ...found,
    ...(remedy !== undefined && { remedy }),
  });
}

/** Heights and widths of the images, by position; NaN where the file has none. */
export interface ImageSizes {
  readonly height: Float64Array;
  readonly width: Float64Array;
}

export function sizesOf(images: readonly ImageRow[], positions: Positions): ImageSizes {
  const height = new Float64Array(positions.images.size).fill(Number.NaN);
  const width = height.slice();
  for (const image of images) {
    const at = positions.images.get(image.id);
    if (at === undefined) continue;
    height[at] = image.height ?? Number.NaN;
    width[at] = image.width ?? Number.NaN;
  }
  return { height, width };
}
