/** What pycocotools' `loadRes` adds to results: areas, and boxes of keypoints. Boxes of masks are made when asked for. */

import { RleStringError } from '../mask/rle-string.js';
import { type AnnotationTable, Shape } from './annotation-table.js';

/** What results are, as their first entry says. */
export type ResultKind = 'bbox' | 'segm' | 'keypoints';

/** @param error makes what is thrown */
export function resultKind(first: unknown, error: (problem: string) => Error): ResultKind {
  if (typeof first !== 'object' || first === null || Array.isArray(first)) {
    throw error('the first result must be an object with image_id, category_id and score');
  }
  const { bbox, segmentation, keypoints, caption } = first as Record<string, unknown>;
  if (caption !== undefined) throw error('captions cannot be evaluated');
  if (Array.isArray(bbox) && bbox.length > 0) return 'bbox';
  if (segmentation !== undefined) return 'segm';
  if (keypoints !== undefined) return 'keypoints';
  throw error('the first result has neither bbox, segmentation nor keypoints');
}

/** Fills in what a result lacks. @throws what `error` makes of it, when it lacks what its kind has */
export function completeResults(
  table: AnnotationTable,
  kind: ResultKind,
  row: number,
  error: (problem: string) => Error,
): void {
  const { columns } = table;
  const { box } = columns;
  columns.crowd[row] = columns.ignore[row] = 0;
  if (kind === 'bbox') {
    if (!table.hasBox(row)) throw error('it has no bbox, but the first result has');
    columns.area[row] = box[4 * row + 2] * box[4 * row + 3];
  } else if (kind === 'segm') {
    if (columns.shape[row] === Shape.none) throw error('it has no segmentation, but the first result has');
    if (columns.shape[row] === Shape.polygons)
      throw error('its segmentation must be runs {size, counts}, not polygons');
    try {
      const { area, pixels } = table.runArea(row);
      const [height, width] = [columns.height[row], columns.width[row]];
      if (pixels > height * width) throw error(`its runs cover ${pixels} pixels of ${height} x ${width}`);
      columns.area[row] = area;
    } catch (problem) {
      if (problem instanceof RleStringError) throw error(problem.message);
      throw problem;
    }
  } else {
    const points = table.keypointsOf(row);
    if (points.length === 0) throw error('it has no keypoints, but the first result has');
    let [left, top, right, bottom] = [points[0], points[1], points[0], points[1]];
    for (let i = 3; i < points.length; i += 3) {
      left = Math.min(left, points[i]);
      right = Math.max(right, points[i]);
      top = Math.min(top, points[i + 1]);
      bottom = Math.max(bottom, points[i + 1]);
    }
    columns.area[row] = (right - left) * (bottom - top);
    box.set([left, top, right - left, bottom - top], 4 * row);
  }
}
