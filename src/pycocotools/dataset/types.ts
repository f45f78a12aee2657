/** COCO's JSON formats, as far as anything here reads them. Other fields pass through untouched. */

import type { RleObject } from '../mask/index.js';

/** A polygon list, or a mask. */
export type Segmentation = number[][] | RleObject;

/** Most data sets number their images; some name them. Compared with its type: "7" is not 7. */
export type ImageId = number | string;

export interface ImageRecord {
  id: ImageId;
  width?: number;
  height?: number;
  file_name?: string;
  /** LVIS: categories known to be absent. */
  neg_category_ids?: number[];
  /** LVIS: categories of which not every object is annotated. */
  not_exhaustive_category_ids?: number[];
  [key: string]: unknown;
}

export interface CategoryRecord {
  id: number;
  name: string;
  supercategory?: string;
  /** LVIS: r(are), c(ommon), f(requent). */
  frequency?: string;
  [key: string]: unknown;
}

export interface Annotation {
  id: number;
  image_id: ImageId;
  category_id: number;
  /** [x, y, width, height] */
  bbox?: number[];
  area?: number;
  iscrowd?: number;
  segmentation?: Segmentation;
  /** [x, y, v] * n */
  keypoints?: number[];
  num_keypoints?: number;
  /** Of results. */
  score?: number;
  [key: string]: unknown;
}

export interface Dataset {
  info?: Record<string, unknown>;
  licenses?: unknown[];
  images?: ImageRecord[];
  annotations?: Annotation[];
  categories?: CategoryRecord[];
  [key: string]: unknown;
}

/** An entry of a results file. */
export interface Result {
  image_id: ImageId;
  category_id: number;
  score: number;
  bbox?: number[];
  segmentation?: Segmentation;
  keypoints?: number[];
  caption?: string;
  [key: string]: unknown;
}
