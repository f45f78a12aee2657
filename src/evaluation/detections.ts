/**
 * Detections as COCO's results, and what they are worth by COCO's rules. Names and units of the figures are Detectron2's:
 * `bbox/AP50` is average precision of boxes at an IoU of 0.5, in percent.
 */

import type { COCO } from '../pycocotools/dataset/coco.js';
import type { ImageId, Result } from '../pycocotools/dataset/types.js';
import { COCOeval } from '../pycocotools/evaluation/coco-eval.js';
import { perCategory } from '../pycocotools/evaluation/per-category.js';
import type { Summary } from '../pycocotools/evaluation/summarize.js';
import { fromRle } from '../pycocotools/mask/index.js';
import type { Rle } from '../pycocotools/mask/rle.js';

/** What was found in an image, in pixels of the image as the annotations have it. */
export interface FoundInImage {
  readonly image: ImageId;
  readonly found: {
    /** [D, 4] xyxy */
    readonly boxes: Float32Array;
    /** [D] */
    readonly scores: Float32Array;
    /** [D] 0 to K - 1 */
    readonly classes: Int32Array;
    /** [D], of detectors with masks */
    readonly masks?: readonly Rle[];
  };
}

/**
 * Entries of `coco_instances_results.json`. Numbers are not rounded beyond float32, as Detectron2 does not.
 *
 * @param categoryIds [K] id of each class in the annotations
 */
export function cocoResults(images: Iterable<FoundInImage>, categoryIds: readonly number[]): Result[] {
  const results: Result[] = [];
  for (const { image, found } of images) {
    const { boxes, scores, classes, masks } = found;
    for (let d = 0; d < scores.length; d++) {
      const [left, top, right, bottom] = boxes.subarray(4 * d, 4 * d + 4);
      results.push({
        image_id: image,
        category_id: categoryIds[classes[d]],
        bbox: [left, top, Math.fround(right - left), Math.fround(bottom - top)],
        score: scores[d],
        ...(masks && { segmentation: fromRle(masks[d]) }),
      });
    }
  }
  return results;
}

/** What is compared: boxes or masks. */
export type DetectionType = 'bbox' | 'segm';

/** COCO's lines of average precision, in the order of its table. */
const FIGURES = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl'] as const;

/** Percent; NaN where there is nothing to find. */
export type DetectionFigures = Readonly<Record<(typeof FIGURES)[number], number>>;

export interface DetectionEvaluation {
  readonly type: DetectionType;
  readonly figures: DetectionFigures;
  /** In the order of their ids. */
  readonly categories: readonly { readonly name: string; readonly figures: DetectionFigures }[];
  /** As pycocotools prints it. */
  readonly table: string;
}

/**
 * Compares results with annotations, on all images that the annotations have.
 *
 * @param results may be empty: then every figure that can be measured is 0
 * @throws UserError for results of other images, and annotations that are wrong
 */
export function evaluateDetections(
  truth: COCO,
  results: readonly Result[],
  type: DetectionType,
): DetectionEvaluation {
  const evaluation = new COCOeval(truth, truth.loadRes(entriesOf(results, type)), type);
  evaluation.evaluate();
  const curves = evaluation.accumulate();
  const table = evaluation.summarize();
  const categories = perCategory(curves, evaluation.params, truth.dataset.categories ?? []);
  return {
    type,
    figures: figuresOf(evaluation.summary()),
    categories: categories.map(({ category, summary }) => ({
      name: category.name,
      figures: figuresOf(summary),
    })),
    table,
  };
}

/** A result's area is its box's where it has one; masks are told apart by size by their own. */
function entriesOf(results: readonly Result[], type: DetectionType): readonly Result[] {
  return type === 'bbox' ? results : results.map(({ bbox: _, ...rest }) => rest);
}

function figuresOf(summary: readonly Summary[]): DetectionFigures {
  const values = FIGURES.map((name, i) => [name, percent(summary[i].value)]);
  return Object.fromEntries(values) as DetectionFigures;
}

function percent(value: number): number {
  return value < 0 ? Number.NaN : 100 * value;
}

/** Every figure by its name: `bbox/AP50`, `segm/AP-person`. */
export function* namedFigures(
  evaluations: Iterable<DetectionEvaluation>,
): Generator<readonly [name: string, value: number]> {
  for (const { type, figures, categories } of evaluations) {
    for (const name of FIGURES) yield [`${type}/${name}`, figures[name]];
    for (const category of categories) yield [`${type}/AP-${category.name}`, category.figures.AP];
  }
}
