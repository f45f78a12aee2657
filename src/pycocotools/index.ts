/** pycocotools-js: the COCO API and evaluation. Needs nothing else of scrl but `core/`. */

export { UserError, type UserErrorDetails } from '../core/errors.js';
export { type AnnotationFilter, type CategoryFilter, COCO } from './dataset/coco.js';
export type * from './dataset/types.js';
export { COCOeval, type EvalImg } from './evaluation/coco-eval.js';
export type { Curves } from './evaluation/evaluate.js';
export {
  CORRECTIONS,
  type Corrections,
  defaultParams,
  federatedParams,
  IOU_TYPES,
  type IouType,
  type Params,
} from './evaluation/params.js';
export { type CategoryFigures, perCategory, precisionCurve } from './evaluation/per-category.js';
export { type EvaluateFilesOptions, evaluateFiles, type FileEvaluation } from './files/evaluate-files.js';
export * as mask from './mask/index.js';
export { RleStringError } from './mask/rle-string.js';
