/** Numbers of single operators that Detectron2 computed in float64 (test/golden/detection/op_vectors.json). */

import { readFileSync } from 'node:fs';

export type Row = readonly number[];

export interface RoiAlignCase {
  readonly sum: Row;
  readonly abs_sum: Row;
  readonly grad: readonly { shape: Row; sum: number; abs_sum: number; at: readonly [number, number][] }[];
  /** [R][P P] */
  readonly 'channel 1'?: readonly Row[];
  /** Of image, channel, row, column. */
  readonly 'grad p5'?: Row;
}

interface MatcherCase {
  readonly thresholds: Row;
  readonly labels: Row;
  readonly low_quality: boolean;
  readonly match: Row;
  readonly label: Row;
}

interface BoxCoderCase {
  readonly encode: readonly Row[];
  readonly decode: readonly Row[];
}

export interface OpVectors {
  readonly roi_align: {
    readonly shapes: readonly (readonly [number, number, number, number])[];
    readonly boxes: readonly (readonly [number, number, number, number, number])[];
    readonly level: Row;
    readonly cases: Readonly<Record<string, RoiAlignCase>>;
  };
  readonly pooler_levels: { readonly sides: Row; readonly level: Row; readonly level_float32: Row };
  readonly batched_nms: {
    readonly boxes: readonly Row[];
    readonly scores: Row;
    readonly category: Row;
    readonly keep: Readonly<Record<string, Row>>;
  };
  readonly matcher: {
    readonly iou: readonly Row[];
    readonly anchors: MatcherCase;
    readonly proposals: MatcherCase;
  };
  readonly anchors: {
    readonly cell: readonly (readonly Row[])[];
    readonly count: number;
    readonly at: readonly [number, Row][];
    readonly sum: Row;
    readonly best_anchors: {
      readonly objects: readonly {
        box: Row;
        best_iou: number;
        best_float32: Row;
        at_least_0_3: number;
        at_least_0_7: number;
      }[];
    };
  };
  readonly box_coder: {
    readonly source: readonly Row[];
    readonly target: readonly Row[];
    readonly deltas: readonly Row[];
    readonly cases: Readonly<Record<string, BoxCoderCase>>;
  };
  readonly mask_targets: {
    readonly cases: readonly { polygons: Row[]; box: Row; ones: number; rows: readonly string[] }[];
  };
  readonly mask_paste: {
    readonly cases: readonly { mask: 'blob' | 'noise'; box: Row; area: number; counts?: Row }[];
  };
  readonly box_inference: {
    readonly boxes: readonly Row[];
    readonly scores: Row;
    readonly classes: Row;
    readonly roi: Row;
  };
}

export function readOpVectors(): OpVectors {
  const file = new URL('../golden/detection/op_vectors.json', import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as OpVectors;
}
