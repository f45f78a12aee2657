/**
 * pycocotools' `COCO`: a data set with its indices.
 *
 * Python names: getAnnIds, getCatIds, getImgIds, loadAnns, loadCats, loadImgs, loadRes, annToRLE, annToMask, createIndex,
 * info. Corrected: a string as name filter means that name, not its substrings; wrong files are errors that say where.
 */

import { UserError } from '../../core/errors.js';
import { fileSource } from '../json/source.js';
import { type DenseMask, toRle } from '../mask/index.js';
import { polygonToRle } from '../mask/polygon.js';
import { area, decode, merge, type Rle, toBox } from '../mask/rle.js';
import { consume, readDataset, readResultList } from './open.js';
import type { Annotation, CategoryRecord, Dataset, ImageId, ImageRecord, Result } from './types.js';

export interface AnnotationFilter {
  imgIds?: ImageId | readonly ImageId[];
  catIds?: number | readonly number[];
  /** Both ends excluded, unlike in evaluation. */
  areaRng?: readonly [number, number];
  iscrowd?: boolean | number;
}

export interface CategoryFilter {
  catNms?: string | readonly string[];
  supNms?: string | readonly string[];
  catIds?: number | readonly number[];
}

export class COCO {
  readonly dataset: Dataset;
  readonly where: string;
  readonly anns = new Map<number, Annotation>();
  readonly imgs = new Map<ImageId, ImageRecord>();
  readonly cats = new Map<number, CategoryRecord>();
  readonly imgToAnns = new Map<ImageId, Annotation[]>();
  /** One entry for each annotation, so an image may stand here several times. */
  readonly catToImgs = new Map<number, ImageId[]>();

  /** @param where what the data set is called in messages: its file */
  constructor(dataset: Dataset = {}, where = 'the data set') {
    if (typeof dataset !== 'object' || dataset === null || Array.isArray(dataset)) {
      throw new UserError('expected an object with images, annotations and categories', { where });
    }
    this.dataset = dataset;
    this.where = where;
    this.createIndex();
  }

  /**
   * Reads a file of any size as a stream. Python's `COCO(annotation_file)`.
   *
   * @throws UserError with the byte of the file where it is wrong
   */
  static open(path: string, onRead?: (bytes: number) => void): COCO {
    return new COCO(consume(fileSource(path, onRead && { onRead }), readDataset), path);
  }

  createIndex(): void {
    for (const index of [this.anns, this.imgs, this.cats, this.imgToAnns, this.catToImgs]) index.clear();
    for (const annotation of this.dataset.annotations ?? []) {
      append(this.imgToAnns, annotation.image_id, annotation);
      this.anns.set(annotation.id, annotation);
    }
    for (const image of this.dataset.images ?? []) this.imgs.set(image.id, image);
    for (const category of this.dataset.categories ?? []) this.cats.set(category.id, category);
    if (this.dataset.categories === undefined) return;
    for (const { category_id, image_id } of this.dataset.annotations ?? []) {
      append(this.catToImgs, category_id, image_id);
    }
  }

  /** What `info` of the file says, a line for each key. */
  info(): string {
    return Object.entries(this.dataset.info ?? {})
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n');
  }

  /** Ids in the order of the requested images, then of the file. */
  getAnnIds({ imgIds, catIds, areaRng, iscrowd }: AnnotationFilter = {}): number[] {
    const images = list(imgIds);
    const categories = new Set(list(catIds));
    let found =
      images.length === 0
        ? (this.dataset.annotations ?? [])
        : images.flatMap((id) => this.imgToAnns.get(id) ?? []);
    if (categories.size > 0) found = found.filter(({ category_id }) => categories.has(category_id));
    if (areaRng !== undefined) {
      const [low, high] = areaRng;
      found = found.filter(({ area = Number.NaN }) => area > low && area < high);
    }
    if (iscrowd !== undefined) found = found.filter((annotation) => annotation.iscrowd === Number(iscrowd));
    return found.map(({ id }) => id);
  }

  /** Ids of the categories that pass all given filters, in the order of the file. */
  getCatIds({ catNms, supNms, catIds }: CategoryFilter = {}): number[] {
    const [names, groups, ids] = [new Set(list(catNms)), new Set(list(supNms)), new Set(list(catIds))];
    return (this.dataset.categories ?? [])
      .filter(({ name }) => names.size === 0 || names.has(name))
      .filter(({ supercategory }) => groups.size === 0 || groups.has(supercategory ?? ''))
      .filter(({ id }) => ids.size === 0 || ids.has(id))
      .map(({ id }) => id);
  }

  /** Ids of the given images (of all, when none are given) that contain all of the given categories. */
  getImgIds({
    imgIds,
    catIds,
  }: {
    imgIds?: ImageId | readonly ImageId[];
    catIds?: number | readonly number[];
  } = {}): ImageId[] {
    const images = list(imgIds);
    let ids = new Set(images);
    list(catIds).forEach((category, i) => {
      const having = new Set(this.catToImgs.get(category));
      ids = i === 0 && images.length === 0 ? having : new Set([...ids].filter((id) => having.has(id)));
    });
    return images.length === 0 && list(catIds).length === 0 ? [...this.imgs.keys()] : [...ids];
  }

  /** @throws RangeError for an unknown id */
  loadAnns(ids: number | readonly number[]): Annotation[] {
    return list(ids).map((id) => known(this.anns, id, 'annotation'));
  }

  /** @throws RangeError for an unknown id */
  loadCats(ids: number | readonly number[]): CategoryRecord[] {
    return list(ids).map((id) => known(this.cats, id, 'category'));
  }

  /** @throws RangeError for an unknown id */
  loadImgs(ids: ImageId | readonly ImageId[]): ImageRecord[] {
    return list(ids).map((id) => known(this.imgs, id, 'image'));
  }

  /**
   * A data set of results on these images. What the results are is decided by the first: captions, boxes, masks or
   * keypoints, in this order. The entries are copied, not changed. Results without an entry give an empty set, where
   * pycocotools fails.
   *
   * @param results entries, rows [image, x, y, width, height, score, category], or a file
   * @throws UserError for entries of unknown images
   */
  loadRes(results: readonly Result[] | readonly (readonly number[])[] | string, where = 'the results'): COCO {
    if (typeof results === 'string')
      return this.loadRes(consume(fileSource(results), readResultList), results);
    if (!Array.isArray(results)) throw new UserError('expected an array of results', { where });
    const entries = results.map((entry) =>
      Array.isArray(entry) ? fromRow(entry, where) : (entry as Result),
    );
    const strangers = [...new Set(entries.map(({ image_id }) => image_id))].filter(
      (id) => !this.imgs.has(id),
    );
    if (strangers.length > 0) {
      throw new UserError(`results of ${strangers.length} images that the ground truth does not have`, {
        where,
        key: 'image_id',
        value: strangers.slice(0, 5),
        remedy:
          typeof strangers[0] === typeof this.imgs.keys().next().value
            ? 'are these results of another data set?'
            : `ids are compared with their type: here ${typeof strangers[0]}, in the ground truth ${typeof this.imgs.keys().next().value}`,
      });
    }
    const { info, categories, images } = this.dataset;
    const shared = { ...(info && { info }), ...(categories && { categories }) };
    const first = entries[0] ?? {};
    let annotations: Annotation[];
    if ('caption' in first) {
      const captioned = new Set(entries.map(({ image_id }) => image_id));
      annotations = entries.map((entry, i) => ({ ...entry, id: i + 1 }));
      const kept = images?.filter(({ id }) => captioned.has(id));
      return new COCO({ ...shared, ...(kept && { images: kept }), annotations }, where);
    }
    if (Array.isArray(first.bbox) && first.bbox.length > 0) {
      annotations = entries.map((entry, i) => fromBox(entry, i + 1, where));
    } else if ('segmentation' in first) {
      annotations = entries.map((entry, i) => this.#fromMask(entry, i + 1, where));
    } else if ('keypoints' in first) {
      annotations = entries.map((entry, i) => fromKeypoints(entry, i + 1, where));
    } else if (entries.length === 0) {
      annotations = [];
    } else {
      throw new UserError('the first entry has neither bbox, segmentation, keypoints nor caption', { where });
    }
    return new COCO({ ...shared, ...(images && { images }), annotations }, where);
  }

  #fromMask(entry: Result, id: number, where: string): Annotation {
    if (entry.segmentation === undefined) throw missing('segmentation', id, where);
    if (Array.isArray(entry.segmentation)) {
      throw new UserError(`entry ${id} must have runs {size, counts}, not polygons`, {
        where,
        key: 'segmentation',
      });
    }
    const mask = this.annToRLE({ ...entry, id });
    return { ...entry, id, area: area(mask), bbox: entry.bbox ?? toBox(mask), iscrowd: 0 };
  }

  /**
   * The annotation's mask: polygons are filled and united, run lengths taken as they are.
   *
   * @throws UserError naming the annotation when its segmentation is none, or its image has no size
   */
  annToRLE(annotation: Annotation): Rle {
    const { segmentation, id, image_id } = annotation;
    try {
      if (segmentation === undefined) throw new RangeError('it has no segmentation');
      if (!Array.isArray(segmentation)) return toRle(segmentation);
      const { height, width } = this.imgs.get(image_id) ?? {};
      if (!Number.isInteger(height) || !Number.isInteger(width)) {
        throw new RangeError(
          `polygons need the height and width of their image, and image ${image_id} has none`,
        );
      }
      return merge(
        segmentation.map((polygon, i) => {
          if (!Array.isArray(polygon) || polygon.length < 6) {
            throw new RangeError(`polygon ${i} has fewer than three points`);
          }
          return polygonToRle(polygon, height as number, width as number);
        }),
      );
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new UserError(`annotation ${id}: ${error.message}`, {
        where: this.where,
        key: 'segmentation',
        cause: error,
      });
    }
  }

  /** Dense, column-major. */
  annToMask(annotation: Annotation): DenseMask {
    const rle = this.annToRLE(annotation);
    return { height: rle.height, width: rle.width, data: decode(rle) };
  }
}

function list<T extends number | string>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function append<K, T>(index: Map<K, T[]>, key: K, value: T): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, [value]);
  else values.push(value);
}

function known<K, T>(index: Map<K, T>, id: K, what: string): T {
  const found = index.get(id);
  if (found === undefined) throw new RangeError(`there is no ${what} with id ${id}`);
  return found;
}

function missing(field: string, id: number, where: string): UserError {
  return new UserError(`entry ${id} has no ${field}, but the first has`, { where, key: field });
}

function fromRow(row: readonly number[], where: string): Result {
  if (row.length !== 7) {
    throw new UserError('a row of results has 7 numbers: image, x, y, width, height, score, category', {
      where,
      value: row,
    });
  }
  const [image, x, y, w, h, score, category] = row;
  return { image_id: Math.trunc(image), bbox: [x, y, w, h], score, category_id: Math.trunc(category) };
}

function fromBox(entry: Result, id: number, where: string): Annotation {
  if (entry.bbox?.length !== 4) throw missing('bbox [x, y, width, height]', id, where);
  const [x, y, w, h] = entry.bbox;
  const corners = [[x, y, x, y + h, x + w, y + h, x + w, y]];
  return { segmentation: corners, ...entry, id, area: w * h, iscrowd: 0 };
}

function fromKeypoints(entry: Result, id: number, where: string): Annotation {
  if (entry.keypoints === undefined) throw missing('keypoints', id, where);
  const xs = entry.keypoints.filter((_, i) => i % 3 === 0);
  const ys = entry.keypoints.filter((_, i) => i % 3 === 1);
  const [x0, x1] = rangeOf(xs);
  const [y0, y1] = rangeOf(ys);
  return { ...entry, id, area: (x1 - x0) * (y1 - y0), bbox: [x0, y0, x1 - x0, y1 - y0] };
}

function rangeOf(values: readonly number[]): [least: number, most: number] {
  return [
    values.reduce((a, b) => Math.min(a, b), Infinity),
    values.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
}
