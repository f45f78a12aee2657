/** pycocotools-js: the COCO API and evaluation. Needs nothing else of scrl but `core/`. */

export { type AnnotationFilter, type CategoryFilter, COCO } from './dataset/coco.js';
export type * from './dataset/types.js';
export { COCOeval, type EvalImg } from './evaluation/coco-eval.js';
export type { Curves } from './evaluation/evaluate.js';
export { defaultParams, type IouType, type Params } from './evaluation/params.js';
export * as mask from './mask/index.js';
