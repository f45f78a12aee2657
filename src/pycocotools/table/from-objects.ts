/** Annotations in memory into columns. */

import { UserError } from '../../core/errors.js';
import type { Annotation } from '../dataset/types.js';
import { countsToString } from '../mask/rle-string.js';
import { AnnotationTable, Shape } from './annotation-table.js';
import type { IdCodes } from './id-codes.js';
import { type Keep, type Role, wantedKeys } from './read-annotation.js';

/** @throws UserError naming the annotation with a field of the wrong type */
export function tableOf(
  annotations: readonly Annotation[],
  role: Role,
  keep: Keep,
  ids: IdCodes,
  where: string,
): AnnotationTable {
  const table = new AnnotationTable(annotations.length);
  // `loadRes` has numbered and measured the results.
  const wanted = new Set([...wantedKeys(role, keep), 'id', 'area']);
  for (const annotation of annotations) {
    const row = table.next();
    const { columns } = table;
    const wrong = (key: string, expected: string): never => {
      throw new UserError(`annotation ${annotation.id} needs ${expected}`, {
        where,
        key,
        value: annotation[key],
      });
    };
    const number = (key: string): number => {
      const value = annotation[key];
      if (!wanted.has(key) || value === undefined || value === null) return Number.NaN;
      return typeof value === 'number' ? value : wrong(key, 'a number');
    };
    columns.id[row] = number('id');
    const { image_id: image } = annotation;
    columns.image[row] = typeof image === 'string' ? ids.encode(image) : number('image_id');
    columns.category[row] = number('category_id');
    columns.score[row] = number('score');
    columns.area[row] = number('area');
    columns.labelled[row] = number('num_keypoints');
    columns.crowd[row] = annotation.iscrowd ? 1 : 0;
    columns.ignore[row] = annotation.ignore ? 1 : 0;
    const { bbox, segmentation, keypoints } = annotation;
    if (wanted.has('bbox') && bbox && bbox.length > 0) {
      if (!Array.isArray(bbox) || bbox.length !== 4) wrong('bbox', '[x, y, width, height]');
      columns.box.set(bbox, 4 * row);
    }
    if (keep.keypoints && keypoints) table.setKeypoints(row, Float64Array.from(keypoints));
    if (keep.masks && segmentation) {
      if (Array.isArray(segmentation)) {
        for (const polygon of segmentation) {
          if (Array.isArray(polygon) && polygon.length >= 6 && polygon.length % 2 === 0) continue;
          wrong('segmentation', 'polygons [x0, y0, x1, y1, ...] of three points or more');
        }
        if (segmentation.length === 0) wrong('segmentation', 'a polygon');
        const numbers = segmentation.flatMap((polygon) => [polygon.length, ...polygon]);
        table.setNumbers(row, Shape.polygons, Float64Array.from(numbers));
      } else {
        const { size, counts } = segmentation;
        if (!Array.isArray(size) || size.length !== 2) wrong('segmentation', 'a size [height, width]');
        const [height, width] = size;
        const bytes =
          typeof counts === 'string'
            ? Buffer.from(counts)
            : counts instanceof Uint8Array
              ? counts
              : Buffer.from(countsToString(counts));
        table.setCoded(row, Shape.codedRuns, bytes, [height, width]);
      }
    }
    table.count++;
  }
  return table;
}
