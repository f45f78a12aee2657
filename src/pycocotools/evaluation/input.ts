/** From two tables to an evaluation. */

import { UserError } from '../../core/errors.js';
import type { CategoryRecord, ImageId } from '../dataset/types.js';
import type { AnnotationTable } from '../table/annotation-table.js';
import type { IdCodes } from '../table/id-codes.js';
import type { ImageRow } from '../table/read-dataset.js';
import { type Evaluation, prepare } from './evaluate.js';
import { federationOf } from './federated.js';
import { detectionsOf, positionsOf, sizesOf, truthsOf } from './instances.js';
import { overlapOf } from './overlap.js';
import type { Params } from './params.js';

/** What is evaluated. */
export interface EvaluationInput {
  readonly images: readonly ImageRow[];
  readonly categories: readonly CategoryRecord[];
  readonly truths: AnnotationTable;
  readonly results: AnnotationTable;
  /** The files, for messages. */
  readonly truthsWhere: string;
  readonly resultsWhere: string;
}

/** @throws UserError for anything that would make a figure wrong, naming the annotation */
export function prepareInput(input: EvaluationInput, params: Params): Evaluation {
  const positions = positionsOf(params);
  const gt = truthsOf(input.truths, positions, params, input.truthsWhere);
  const federation = params.federated
    ? federationOf(input.images, input.truths, input.results, positions, input.truthsWhere)
    : undefined;
  const dt = detectionsOf(input.results, positions, input.resultsWhere, federation);
  const overlap = overlapOf(
    { table: input.results, instances: dt, where: input.resultsWhere },
    { table: input.truths, instances: gt, where: input.truthsWhere },
    sizesOf(input.images, positions),
    params,
  );
  return prepare(dt, gt, overlap, params);
}

/** Ascending and unique lists, as they are evaluated. @throws UserError for lists that do not fit together */
export function normalizeParams(params: Params): void {
  params.imgIds = [...new Set(params.imgIds)].sort(compareIds);
  if (params.useCats) params.catIds = [...new Set(params.catIds)].sort((a, b) => a - b);
  params.maxDets.sort((a, b) => a - b);
  if (params.areaRng.length !== params.areaRngLbl.length) {
    throw new UserError(
      `${params.areaRng.length} ranges of areas, but ${params.areaRngLbl.length} labels for them`,
      { key: 'areaRngLbl', value: params.areaRngLbl },
    );
  }
}

/** Numbers before texts. */
export function compareIds(a: ImageId, b: ImageId): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === typeof b) return a < b ? -1 : Number(a > b);
  return typeof a === 'number' ? -1 : 1;
}

/**
 * Whether the files belong together. pycocotools drops or overwrites silently what is refused here, except for unknown
 * images of results. Results of unknown categories are allowed beside others: they are not evaluated.
 *
 * @returns how many results are of unknown categories, and which
 * @throws UserError with the first ids that are wrong
 */
export function checkReferences(
  { images, categories, truths, results, truthsWhere, resultsWhere }: EvaluationInput,
  { useCats }: Pick<Params, 'useCats'>,
  ids: IdCodes,
): UnknownCategories {
  const imageIds = uniqueIds(images, 'images', truthsWhere);
  const categoryIds = uniqueIds(categories, 'categories', truthsWhere);
  const seen = new Set<number>();
  for (let row = 0; row < truths.count; row++) {
    const id = truths.columns.id[row];
    if (seen.has(id)) {
      throw new UserError(`two annotations have the id ${id}`, { where: truthsWhere, key: 'id' });
    }
    seen.add(id);
    for (const [key, known, column] of [
      ['image_id', imageIds, truths.columns.image],
      ['category_id', categoryIds, truths.columns.category],
    ] as const) {
      if (known.has(column[row])) continue;
      const list = key === 'image_id' ? 'images' : 'categories';
      throw new UserError(
        `annotation ${id} is of ${key} ${ids.spell(column[row])}, which is not in ${list}`,
        {
          where: truthsWhere,
          key,
        },
      );
    }
  }
  const strangers = new Set<number>();
  for (let row = 0; row < results.count; row++) {
    const image = results.columns.image[row];
    if (!imageIds.has(image)) strangers.add(image);
  }
  if (strangers.size > 0) {
    throw new UserError(`results of ${strangers.size} images that the ground truth does not have`, {
      where: resultsWhere,
      key: 'image_id',
      value: [...strangers].slice(0, 5).map((code) => ids.decode(code)),
      remedy: `are these results of another data set than ${truthsWhere}? Ids are compared with their type: "7" is not 7`,
    });
  }
  const unknown = useCats ? unknownCategories(results, categoryIds) : NONE_UNKNOWN;
  if (unknown.results > 0 && unknown.results === results.count) {
    throw new UserError('no result is of a category that the ground truth has', {
      where: resultsWhere,
      key: 'category_id',
      value: unknown.ids.slice(0, 5),
      remedy: `${truthsWhere} has the categories ${[...categoryIds].slice(0, 5).join(', ')}, ...: ids of the file are meant, not positions of a network's outputs`,
    });
  }
  return unknown;
}

/** Results that no figure counts. */
export interface UnknownCategories {
  readonly results: number;
  readonly ids: readonly number[];
}

const NONE_UNKNOWN: UnknownCategories = { results: 0, ids: [] };

function unknownCategories(
  { count, columns }: AnnotationTable,
  known: ReadonlySet<number>,
): UnknownCategories {
  const ids = new Set<number>();
  let results = 0;
  for (let row = 0; row < count; row++) {
    const id = columns.category[row];
    if (known.has(id)) continue;
    ids.add(id);
    results++;
  }
  return { results, ids: [...ids] };
}

function uniqueIds(records: readonly { id: number }[], list: string, where: string): Set<number> {
  const ids = new Set<number>();
  for (const { id } of records) {
    if (ids.has(id)) throw new UserError(`two entries of ${list} have the id ${id}`, { where, key: 'id' });
    ids.add(id);
  }
  return ids;
}
