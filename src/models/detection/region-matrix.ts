/**
 * RoIAlign over the pyramid as a sparse product, between host and graph: the matrix that `ops/roi-rows.ts` makes travels as
 * answers to the step's question, six arrays under one name.
 */

import type { ElementArray } from '../../engine/types.js';
import type { InputSpec } from '../../engine/values.js';
import { concat } from '../../ops/concat.js';
import { reshape } from '../../ops/reshape.js';
import type { RoiRows } from '../../ops/roi-rows.js';
import { type SparseMatrix, sparseProduct } from '../../ops/sparse-rows.js';
import type { Tensor } from '../../ops/tf.js';
import type { PyramidMaps } from '../neck/fpn.js';

const PARTS = ['matrix', 'transpose'] as const;

export function matrixSpecs(name: string): Record<string, InputSpec> {
  const specs: Record<string, InputSpec> = {};
  for (const part of PARTS) {
    specs[`${name}/${part}/rowPointers`] = { type: 'int32', shape: [-1] };
    specs[`${name}/${part}/columns`] = { type: 'int32', shape: [-1] };
    specs[`${name}/${part}/values`] = { type: 'float32', shape: [-1] };
  }
  return specs;
}

export function matrixValues(name: string, rows: RoiRows): Record<string, ElementArray> {
  const values: Record<string, ElementArray> = {};
  for (const part of PARTS) {
    values[`${name}/${part}/rowPointers`] = rows[part].rowPointers;
    values[`${name}/${part}/columns`] = rows[part].columns;
    values[`${name}/${part}/values`] = rows[part].values;
  }
  return values;
}

export function fedMatrix(name: string, fed: Readonly<Record<string, Tensor>>): SparseMatrix {
  const rows = (part: (typeof PARTS)[number]) => ({
    rowPointers: fed[`${name}/${part}/rowPointers`],
    columns: fed[`${name}/${part}/columns`],
    values: fed[`${name}/${part}/values`],
  });
  return { matrix: rows('matrix'), transpose: rows('transpose') };
}

/** The cells of all levels, one below the other in the order of `RoiRows`: [cells, C]. */
export function pyramidCells(maps: PyramidMaps): Tensor {
  const levels = Object.values<Tensor>(maps);
  const channels = levels[0].shape[3] as number;
  return concat(
    levels.map((map) => reshape(map, [-1, channels])),
    0,
  );
}

/**
 * @param cells [cells, C]; those behind the matrix's last are of levels that it does not pool from
 * @param matrix [R side side, cells]
 * @returns [R, side, side, C]
 */
export function poolRegions(cells: Tensor, matrix: SparseMatrix, side: number): Tensor {
  return reshape(sparseProduct(matrix, cells), [-1, side, side, cells.shape[1] as number]);
}
