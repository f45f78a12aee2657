/**
 * What the RPN's 3 x 3 convolution sees of single anchors, as rows over the cells of all levels. The losses need the RPN at
 * the sampled anchors only: taken there, its backward pass is a small product in place of two convolutions over all levels,
 * which is an eighth of a step.
 */

import { CsrBuilder, transposeCsr } from '../../ops/csr.js';
import { cellCount, firstCells, type RoiRows } from '../../ops/roi-rows.js';
import type { AnchorGrid, AnchorPlace } from './anchors.js';

/** Of the RPN's filter. */
export const PATCH_SIDE = 3;
const PATCH = PATCH_SIDE ** 2;

export interface AnchorPatches {
  /** [9 S, cells] ones; no entry in a row whose cell lies outside the level */
  readonly rows: RoiRows;
  /** [S] which of its cell's anchors each is */
  readonly kinds: Int32Array;
}

/** @param anchors [N] of each image, flat indices; S of all images */
export function anchorPatches(anchors: readonly Int32Array[], grid: AnchorGrid): AnchorPatches {
  const images = anchors.length;
  const count = anchors.reduce((sum, { length }) => sum + length, 0);
  const firsts = firstCells(grid.levels, images);
  const builder = new CsrBuilder(PATCH * count, PATCH * count);
  const kinds: number[] = [];
  for (const [n, ids] of anchors.entries()) {
    for (const id of ids) {
      const place = grid.placeOf(id);
      const { level, kind } = place;
      kinds.push(kind);
      addPatch(builder, firsts[grid.levels.indexOf(level)] + n * level.height * level.width, place);
    }
  }
  const matrix = builder.finish();
  const rows = { matrix, transpose: transposeCsr(matrix, cellCount(grid.levels, images)) };
  return { rows, kinds: Int32Array.from(kinds) };
}

/** @param first cell of the level and image */
function addPatch(
  builder: CsrBuilder,
  first: number,
  { level: { height, width }, y: row, x: column }: AnchorPlace,
): void {
  for (let y = row - 1; y <= row + 1; y++) {
    for (let x = column - 1; x <= column + 1; x++) {
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      if (inside) builder.add(first + y * width + x, 1);
      builder.endRow();
    }
  }
}
