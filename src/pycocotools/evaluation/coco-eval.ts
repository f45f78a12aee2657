/** pycocotools' `COCOeval`: `params`, `evaluate`, `accumulate`, `summarize`, `evalImgs`, `eval`, `stats`. */

import type { COCO } from '../dataset/coco.js';
import type { ImageId } from '../dataset/types.js';
import { tableOf } from '../table/from-objects.js';
import { IdCodes } from '../table/id-codes.js';
import { keepFor } from '../table/read-annotation.js';
import {
  type Curves,
  categoryGroups,
  type Evaluation,
  emptyCurves,
  evaluateCategory,
  groupAt,
} from './evaluate.js';
import { frequenciesOf } from './federated.js';
import type { CategoryGroups } from './groups.js';
import { checkReferences, compareIds, normalizeParams, prepareInput } from './input.js';
import { Matching, match } from './match.js';
import { defaultParams, type IouType, type Params } from './params.js';
import { formatSummary, type Summary, summarize } from './summarize.js';

/** The record of an image, a category and a range of areas; matrices are [T, D] and [T, G]. */
export interface EvalImg {
  image_id: ImageId;
  /** -1 without categories. */
  category_id: number;
  aRng: readonly [number, number];
  maxDet: number;
  dtIds: number[];
  gtIds: number[];
  dtMatches: number[][];
  gtMatches: number[][];
  dtScores: number[];
  gtIgnore: number[];
  dtIgnore: boolean[][];
}

export class COCOeval {
  readonly cocoGt: COCO;
  readonly cocoDt: COCO;
  readonly params: Params;
  stats: number[] = [];
  /** After `accumulate`. */
  eval: Curves | undefined;
  #evaluation: Evaluation | undefined;

  /** @param params the defaults of pycocotools, or `federatedParams` for LVIS */
  constructor(
    cocoGt: COCO,
    cocoDt: COCO,
    iouType: IouType = 'segm',
    params: Params = defaultParams(iouType),
  ) {
    this.cocoGt = cocoGt;
    this.cocoDt = cocoDt;
    this.params = params;
    this.params.imgIds = [...cocoGt.imgs.keys()].sort(compareIds);
    this.params.catIds = [...cocoGt.cats.keys()].sort((a, b) => a - b);
  }

  /** Gathers and groups the annotations of `params`. @throws UserError naming the annotation that is wrong */
  evaluate(): void {
    const { cocoGt, cocoDt, params } = this;
    normalizeParams(params);
    const keep = keepFor(params.iouType);
    const ids = new IdCodes();
    const input = {
      images: (cocoGt.dataset.images ?? []).map((image) => ({ ...image, id: ids.encode(image.id) })),
      categories: cocoGt.dataset.categories ?? [],
      truths: tableOf(cocoGt.dataset.annotations ?? [], 'truth', keep, ids, cocoGt.where),
      results: tableOf(cocoDt.dataset.annotations ?? [], 'result', keep, ids, cocoDt.where),
      truthsWhere: cocoGt.where,
      resultsWhere: cocoDt.where,
    };
    checkReferences(input, params, ids);
    const imgIds = params.imgIds.map((id) => ids.encode(id));
    this.#evaluation = prepareInput(input, { ...params, imgIds });
  }

  /** Matches and accumulates, category by category. */
  accumulate(): Curves {
    const evaluation = this.#prepared('accumulate');
    this.eval = emptyCurves(this.params, evaluation.categories);
    for (let k = 0; k < evaluation.categories; k++) evaluateCategory(evaluation, k, this.eval);
    return this.eval;
  }

  /** Fills `stats`. @returns the table as pycocotools prints it */
  summarize(): string {
    const lines = this.summary();
    this.stats = lines.map(({ value }) => value);
    return formatSummary(lines, this.params);
  }

  summary(): Summary[] {
    if (this.eval === undefined) throw new Error('call accumulate() before summarize()');
    return summarize(this.eval, this.params, frequenciesOf(this.params, this.cocoGt.cats, this.cocoGt.where));
  }

  /**
   * The records of pycocotools' `evalImgs`: for each category, range of areas and image one, null where there is neither
   * detection nor truth. They are made when asked for; nothing else needs them.
   */
  get evalImgs(): (EvalImg | null)[] {
    const evaluation = this.#prepared('evalImgs');
    const { params } = this;
    const records: (EvalImg | null)[] = [];
    for (let k = 0; k < evaluation.categories; k++) {
      const groups = categoryGroups(evaluation, k);
      const groupOf = new Map(Array.from(groups.image, (image, g) => [image, g]));
      for (const areaRange of params.areaRng) {
        for (let i = 0; i < params.imgIds.length; i++) {
          const g = groupOf.get(i);
          records.push(g === undefined ? null : this.#record(evaluation, groups, k, areaRange, i, g));
        }
      }
    }
    return records;
  }

  #record(
    evaluation: Evaluation,
    groups: CategoryGroups,
    k: number,
    areaRange: readonly [number, number],
    i: number,
    g: number,
  ): EvalImg {
    const { dt, gt, params } = evaluation;
    const group = groupAt(evaluation, groups, g);
    const { detections, truths } = group;
    const [D, G, T] = [detections.length, truths.length, params.iouThrs.length];
    const matching = new Matching();
    const idZeroIsNone = !params.corrections.idZero;
    match(group, dt, gt, { thresholds: params.iouThrs, areaRange, idZeroIsNone }, matching);
    const order = [...matching.gtOrder.subarray(0, G)];
    const rows = <V>(count: number, value: (at: number) => V) =>
      Array.from({ length: T }, (_, t) => Array.from({ length: count }, (_, j) => value(t * count + j)));
    return {
      image_id: this.params.imgIds[i],
      category_id: params.useCats ? params.catIds[k] : -1,
      aRng: areaRange,
      maxDet: params.maxDets.at(-1) ?? 0,
      dtIds: Array.from(detections, (d) => dt.id[d]),
      gtIds: order.map((g) => gt.id[truths[g]]),
      dtMatches: rows(D, (at) => (matching.dtMatch[at] === 0 ? 0 : gt.id[truths[matching.dtMatch[at] - 1]])),
      gtMatches: rows(G, (at) =>
        matching.gtMatch[at] === 0 ? 0 : dt.id[detections[matching.gtMatch[at] - 1]],
      ),
      dtScores: Array.from(detections, (d) => dt.score[d]),
      gtIgnore: [...matching.gtIgnore.subarray(0, G)],
      dtIgnore: rows(D, (at) => matching.dtIgnore[at] === 1),
    };
  }

  #prepared(what: string): Evaluation {
    if (this.#evaluation === undefined) throw new Error(`call evaluate() before ${what}`);
    return this.#evaluation;
  }
}
