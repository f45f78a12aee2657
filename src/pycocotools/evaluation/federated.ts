/**
 * Federated data sets (LVIS: Gupta et al., CVPR 2019): not every category is annotated in every image. A detection counts
 * only where its category was looked for, and where not every object was annotated it is at least no false positive.
 */

import { UserError } from '../../core/errors.js';
import type { CategoryRecord } from '../dataset/types.js';
import type { AnnotationTable } from '../table/annotation-table.js';
import type { ImageRow } from '../table/read-dataset.js';
import type { Positions } from './instances.js';
import { sortByScore, upTo } from './order.js';
import type { Params } from './params.js';

/** Detections of an image that count, over all categories. */
const MOST_PER_IMAGE = 300;

export const FREQUENCIES = ['r', 'c', 'f'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

/** What is asked about rows of the results. */
export interface Federation {
  /** Whether the detection counts at all. */
  counts(row: number, image: number, category: number): boolean;
  /** Whether it is ignored when it matches nothing. */
  lenient(image: number, category: number): boolean;
}

/** @throws UserError for an image without the lists of categories that were looked for */
export function federationOf(
  images: readonly ImageRow[],
  truths: AnnotationTable,
  results: AnnotationTable,
  positions: Positions,
  where: string,
): Federation {
  const categories = positions.categories ?? new Map<number, number>();
  const lookedFor = new Set<number>();
  const partial = new Set<number>();
  const add = (set: Set<number>, image: number, ids: readonly number[]) => {
    for (const id of ids) set.add(pair(image, categories.get(id) ?? -1));
  };
  const pair = (image: number, category: number) => image * (categories.size + 1) + category + 1;
  for (const { id, neg_category_ids: absent, not_exhaustive_category_ids: notAll } of images) {
    const image = positions.images.get(id);
    if (image === undefined) continue;
    if (!Array.isArray(absent) || !Array.isArray(notAll)) {
      throw new UserError(`image ${id} has no lists neg_category_ids and not_exhaustive_category_ids`, {
        where,
        remedy: 'only LVIS and data sets like it can be evaluated as federated',
      });
    }
    add(lookedFor, image, absent);
    add(partial, image, notAll);
  }
  for (let row = 0; row < truths.count; row++) {
    const image = positions.images.get(truths.columns.image[row]);
    if (image !== undefined && truths.columns.area[row] > 0)
      add(lookedFor, image, [truths.columns.category[row]]);
  }
  const among = bestOfImages(results, positions);
  return {
    // LVIS drops what has no area.
    counts: (row, image, category) =>
      among[row] === 1 && results.columns.area[row] > 0 && lookedFor.has(pair(image, category)),
    lenient: (image, category) => partial.has(pair(image, category)),
  };
}

/** 1 for the rows that are among the best of their image; of equal scores the first in the file. */
function bestOfImages({ count, columns }: AnnotationTable, { images }: Positions): Uint8Array {
  const among = new Uint8Array(count);
  const seen = new Int32Array(images.size);
  for (const row of sortByScore(upTo(count), columns.score)) {
    const image = images.get(columns.image[row]);
    if (image !== undefined && seen[image]++ < MOST_PER_IMAGE) among[row] = 1;
  }
  return among;
}

/**
 * How often categories occur: rare (in fewer than 10 images of the training split), common (fewer than 100) or frequent,
 * as their records say. Empty when the evaluation is not federated.
 *
 * @throws UserError for a category that does not say
 */
export function frequenciesOf(
  { federated, useCats, catIds }: Params,
  categories: ReadonlyMap<number, CategoryRecord>,
  where: string,
): Frequency[] {
  if (!federated || !useCats) return [];
  return catIds.map((id) => {
    const frequency = categories.get(id)?.frequency;
    const found = FREQUENCIES.find((name) => name === frequency);
    if (found !== undefined) return found;
    throw new UserError(`category ${id} needs one of r, c, f`, { where, key: 'frequency', value: frequency });
  });
}
