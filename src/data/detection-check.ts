/**
 * Finds what is wrong with a data set before a detector is trained on it or judged by it: all at once, with file and id.
 *
 * What nobody can learn from is a fault: a file that is missing or of another size than the annotations say, a box of no area
 * or with more than half of it outside the image, an unknown category, a mask that is missing or damaged. What is merely odd
 * is mended as Detectron2 does, and counted.
 */

import { area, clip, type Rectangle } from '../core/boxes.js';
import { counted } from '../core/counted.js';
import { errorMessage, UserError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { Shape } from '../pycocotools/table/annotation-table.js';
import { Faults } from './detection-faults.js';
import { type DetectionRecords, imageId } from './detection-records.js';
import { LEAST_SIDE } from './detection-transform.js';
import type { ImageTable } from './image-table.js';

/** Boxes may end this far outside without a word: annotators round. Pixels. */
const ROUNDING = 1;

/** What is known of an image's file. */
export type FileFinding = { index: number } | { reason: string };

export interface DetectionCheck {
  files: ImageTable;
  /** The file of a name in the annotations. */
  find: (name: string) => FileFinding;
  /** Leave out images and annotations with a fault in place of refusing the data set. */
  skipInvalid: boolean;
  /** Keep images without anything to learn from; Detectron2 does in evaluation only. */
  keepEmpty: boolean;
  log: Log;
}

/** Images that are left, as positions in the records, and which rows of each. */
interface Kept {
  images: number[];
  rows: Int32Array[];
}

/**
 * @returns the records without what is left out: faults, if they are skipped, and images without objects, if they are not kept
 * @throws UserError with all faults, or when nothing is left
 */
export function checkDetectionData(records: DetectionRecords, check: DetectionCheck): DetectionRecords {
  const faults = new Faults();
  const odd = new Oddities();
  checkCategories(records, faults, odd);
  checkReferences(records, faults);
  if (records.masks) checkSomeMask(records);
  const kept = checkImages(records, check, faults, odd);
  if (faults.total > 0 && (!check.skipInvalid || faults.has('image', 'category'))) {
    const skip = faults.has('image', 'category')
      ? ''
      : ', or leave these out with --dataset/skip_invalid true';
    throw faults.error(records.where, `mend the annotations or the images${skip}`);
  }
  if (faults.total > 0) check.log.warn(`${records.where}: what has a fault is left out${faults.list()}`);
  for (const line of odd.lines()) check.log.warn(`${records.where}: ${line}`);
  return withObjects(records, kept, check.keepEmpty, check.log);
}

const ODDITIES = {
  clipped: 'boxes that end outside their image are clipped',
  polygons: 'polygons of fewer than three points are left out',
  shapeless: 'objects without a polygon of three points are left out',
  names: 'categories have a name that another one has too',
  keypoints: 'categories have keypoints, which are ignored',
} as const;

class Oddities {
  readonly #counts = new Map<keyof typeof ODDITIES, number>();

  add(kind: keyof typeof ODDITIES, count = 1): void {
    if (count > 0) this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  lines(): string[] {
    return [...this.#counts].map(([kind, count]) => `${count} ${ODDITIES[kind]}`);
  }
}

function checkCategories({ categories, classOf }: DetectionRecords, faults: Faults, odd: Oddities): void {
  if (categories.length === 0) faults.add('category', 'there are no categories');
  if (classOf.size < categories.length) faults.add('category', 'two categories have the same id');
  for (const { id, name } of categories) {
    if (typeof name !== 'string' || name === '') faults.add('category', `category ${id} has no name`);
  }
  odd.add('names', categories.length - new Set(categories.map(({ name }) => name)).size);
  odd.add('keypoints', categories.filter(({ keypoints }) => keypoints !== undefined).length);
}

/** Annotations of unknown images are in no image, so they are looked for here. */
function checkReferences({ table, rows, images }: DetectionRecords, faults: Faults): void {
  const known = new Set(images.map(({ id }) => id));
  if (known.size < images.length) {
    faults.add('image', 'two images have the same id');
  }
  const { columns, count } = table.annotations;
  if (rows.reduce((sum, own) => sum + own.length, 0) === count) return;
  for (let row = 0; row < count; row++) {
    if (known.has(columns.image[row])) continue;
    const id = table.ids.spell(columns.image[row]);
    faults.add('reference', `annotation ${columns.id[row]}: there is no image ${id}`);
  }
}

/** One word for a file of boxes, in place of one for each annotation. */
function checkSomeMask({ where, table: { annotations } }: DetectionRecords): void {
  const { shape, dropped } = annotations.columns;
  for (let row = 0; row < annotations.count; row++) {
    if (shape[row] !== Shape.none || dropped[row] > 0) return;
  }
  if (annotations.count === 0) return;
  throw new UserError('no annotation has a mask', {
    where,
    key: 'segmentation',
    remedy: 'train a detector without masks (Faster R-CNN) on these boxes, or give annotations with masks',
  });
}

function checkImages(
  records: DetectionRecords,
  { files, find }: DetectionCheck,
  faults: Faults,
  odd: Oddities,
): Kept {
  const kept: Kept = { images: [], rows: [] };
  for (const [image, { file_name: name = '', width, height }] of records.images.entries()) {
    const subject = `image ${JSON.stringify(imageId(records, image))} (${name})`;
    const found = find(name);
    if ('reason' in found) {
      faults.add('file', `${subject}: ${found.reason}`);
      continue;
    }
    const size = { width: files.width(found.index), height: files.height(found.index) };
    if ((width ?? size.width) !== size.width || (height ?? size.height) !== size.height) {
      const turned = width === size.height && height === size.width ? ' once it is upright (EXIF)' : '';
      const said = `${width} x ${height} in the annotations`;
      faults.add('size', `${subject}: ${size.width} x ${size.height} pixels${turned}, ${said}`);
      continue;
    }
    const checkRow = rowCheck(records, subject, size, faults, odd);
    kept.images.push(image);
    kept.rows.push(records.rows[image].filter(checkRow));
  }
  return kept;
}

/** Says of a row whether it is kept. */
function rowCheck(
  { table, classOf, masks }: DetectionRecords,
  image: string,
  size: { width: number; height: number },
  faults: Faults,
  odd: Oddities,
): (row: number) => boolean {
  const { annotations } = table;
  const { columns } = annotations;
  return (row) => {
    const subject = `annotation ${columns.id[row]} of ${image}`;
    if (!classOf.has(columns.category[row])) {
      faults.add('reference', `${subject}: there is no category ${columns.category[row]}`);
      return false;
    }
    const box = annotations.hasBox(row) ? columns.box.subarray(4 * row, 4 * row + 4) : undefined;
    const wrongBox = box === undefined ? 'it has no box' : checkBox(box, size, odd);
    if (wrongBox !== undefined) {
      faults.add('box', `${subject}: ${wrongBox}`);
      return false;
    }
    if (!masks) return true;
    odd.add('polygons', columns.dropped[row]);
    if (columns.shape[row] === Shape.none && columns.dropped[row] > 0) {
      odd.add('shapeless');
      return false;
    }
    const wrongMask = checkMask(table, row, size);
    if (wrongMask !== undefined) faults.add('mask', `${subject}: ${wrongMask}`);
    return wrongMask === undefined;
  };
}

function checkBox(
  [x, y, w, h]: ArrayLike<number> & Iterable<number>,
  { width, height }: { width: number; height: number },
  odd: Oddities,
): string | undefined {
  const said = `box [${[x, y, w, h].join(', ')}]`;
  if (w <= LEAST_SIDE || h <= LEAST_SIDE) return `${said} has no area`;
  const box: Rectangle = { left: x, top: y, right: x + w, bottom: y + h };
  const inside = clip(box, width, height);
  const image = `the image of ${width} x ${height}`;
  const [seenWidth, seenHeight] = [inside.right - inside.left, inside.bottom - inside.top];
  if (seenWidth <= LEAST_SIDE || seenHeight <= LEAST_SIDE) return `${said} lies outside ${image}`;
  if (area(inside) < area(box) / 2) return `${said} lies mostly outside ${image}`;
  const over = Math.max(inside.left - box.left, inside.top - box.top, w - seenWidth, h - seenHeight);
  if (over > ROUNDING) odd.add('clipped');
  return undefined;
}

/** Crowds need no mask: they are not learned. */
function checkMask(
  { annotations }: DetectionRecords['table'],
  row: number,
  { width, height }: { width: number; height: number },
): string | undefined {
  const { columns } = annotations;
  if (columns.shape[row] === Shape.none) return columns.crowd[row] === 1 ? undefined : 'it has no mask';
  if (!annotations.hasRuns(row)) return undefined;
  const [rows, wide] = [columns.height[row], columns.width[row]];
  if (rows !== height || wide !== width) {
    return `its mask is ${wide} x ${rows}, the image ${width} x ${height}`;
  }
  try {
    const { pixels } = annotations.runArea(row);
    return pixels > width * height ? `its mask covers ${pixels} pixels of ${width} x ${height}` : undefined;
  } catch (error) {
    return `its mask cannot be read: ${errorMessage(error)}`;
  }
}

/** Leaves out images without an object that is no crowd, unless they are kept. */
function withObjects(
  records: DetectionRecords,
  { images, rows }: Kept,
  keepEmpty: boolean,
  log: Log,
): DetectionRecords {
  const { crowd } = records.table.annotations.columns;
  const learnable = rows.map((own) => own.some((row) => crowd[row] === 0));
  const count = learnable.filter(Boolean).length;
  if (count === 0) throw nothingLeft(records, rows);
  const used = images.map((_, i) => i).filter((i) => keepEmpty || learnable[i]);
  if (count < images.length) {
    const empty = images.length - count;
    const fate = keepEmpty ? 'kept' : 'left out, as there is nothing to learn from';
    log.info(
      `${records.where}: ${counted(empty, 'image')} without objects ${empty === 1 ? 'is' : 'are'} ${fate}`,
    );
  }
  return {
    ...records,
    images: used.map((i) => records.images[images[i]]),
    rows: used.map((i) => rows[i]),
  };
}

function nothingLeft({ where }: DetectionRecords, rows: readonly Int32Array[]): UserError {
  const crowds = rows.reduce((sum, own) => sum + own.length, 0);
  return new UserError(
    crowds === 0 ? 'holds no annotations' : `holds only crowd annotations, ${crowds} of them`,
    {
      where,
      key: 'annotations',
      remedy: 'give annotations of single objects, with `iscrowd` 0',
    },
  );
}
