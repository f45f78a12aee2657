/** What is evaluated and how: pycocotools' `Params`, with its exact doubles. */

import type { ImageId } from '../dataset/types.js';

/** `boundary` is ours: Boundary IoU, otherwise as segm. */
export const IOU_TYPES = ['bbox', 'segm', 'keypoints', 'boundary'] as const;
export type IouType = (typeof IOU_TYPES)[number];

/** What pycocotools gets wrong and keeps for the sake of old figures; each is off unless asked for. */
export interface Corrections {
  /** A match with a ground truth of id 0 is a match. */
  idZero: boolean;
  /** A ground truth with `ignore: 1` is not counted, as with `iscrowd` but for the overlap. */
  ignoreField: boolean;
  /** The first figure of the summary is for the largest of `maxDets`, not for the number 100. */
  maxDets: boolean;
  /** No 2^-52 in the denominator of precision: a perfect detector has 1, not 1 - 2^-53. */
  epsilon: boolean;
}

export const CORRECTIONS = [
  'idZero',
  'ignoreField',
  'maxDets',
  'epsilon',
] as const satisfies readonly (keyof Corrections)[];

export interface Params {
  iouType: IouType;
  /** Ascending and unique when evaluated. */
  imgIds: ImageId[];
  catIds: number[];
  iouThrs: number[];
  recThrs: number[];
  /** Detections per image and category; ascending. */
  maxDets: number[];
  /** Areas [low, high] in square pixels, both ends included. */
  areaRng: [number, number][];
  areaRngLbl: string[];
  /** false: all categories count as one. */
  useCats: boolean;
  /** Standard deviations of keypoints, relative to the object's scale. */
  kptOksSigmas: number[];
  /** Of `boundary`: width of the boundary as a share of the image's diagonal. */
  dilationRatio: number;
  /** LVIS's rules: see `federated.ts`. There are no crowds, and the field `ignore` counts. */
  federated: boolean;
  corrections: Corrections;
}

const AREAS = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const satisfies Record<string, readonly [number, number]>;

/** COCO's seventeen keypoints. */
const SIGMAS = [
  0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89,
].map((sigma) => sigma / 10);

/** The defaults of LVIS's evaluation, of boxes or masks. */
export function federatedParams(iouType: IouType): Params {
  return { ...defaultParams(iouType), maxDets: [300], federated: true };
}

/** The defaults of pycocotools. */
export function defaultParams(iouType: IouType): Params {
  const labels =
    iouType === 'keypoints'
      ? (['all', 'medium', 'large'] as const)
      : (['all', 'small', 'medium', 'large'] as const);
  return {
    iouType,
    imgIds: [],
    catIds: [],
    iouThrs: evenlySpaced(0.5, 0.95, 10),
    recThrs: evenlySpaced(0, 1, 101),
    maxDets: iouType === 'keypoints' ? [20] : [1, 10, 100],
    areaRng: labels.map((label) => [...AREAS[label]]),
    areaRngLbl: [...labels],
    useCats: true,
    kptOksSigmas: [...SIGMAS],
    dilationRatio: 0.02,
    federated: false,
    corrections: { idZero: false, ignoreField: false, maxDets: false, epsilon: false },
  };
}

/**
 * numpy's `linspace`: start + i step, the last value exactly `stop`. Not i / (n - 1): 0.57 is 0.5700000000000001 here, and a
 * recall of 0.57 does not reach it.
 */
export function evenlySpaced(start: number, stop: number, count: number): number[] {
  const step = (stop - start) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? stop : start + i * step));
}
