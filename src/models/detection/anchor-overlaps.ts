/**
 * Which anchors an object overlaps, without looking at the others: of the 268,000 anchors of a large image a small object
 * touches a few hundred. The numbers are those of `box-iou.ts`, to the last bit.
 */

import type { AnchorGrid, AnchorLevel, Edges } from './anchors.js';
import { area32, checkObjects, iou32, type Overlaps, overlap32 } from './box-iou.js';

/** @param objects [G, 4]  @throws RangeError when an object is not finite */
export function anchorOverlaps(objects: Float32Array, grid: AnchorGrid): Overlaps {
  checkObjects(objects);
  const longest = Math.max(...grid.levels.map(({ height, width }) => Math.max(height, width)));
  const [rows, columns] = [new Strip(longest), new Strip(longest)];
  return {
    objects: objects.length / 4,
    candidates: grid.count,
    row(object, indices, ious) {
      const [left, top, right, bottom] = objects.subarray(4 * object, 4 * object + 4);
      const area = area32(objects, object);
      let count = 0;
      for (const level of grid.levels) {
        for (let kind = 0; kind < grid.kinds; kind++) {
          rows.find(level.rows[kind], top, bottom, level.stride);
          columns.find(level.columns[kind], left, right, level.stride);
          count = addAnchors(rows, columns, level, kind, area, indices, ious, count);
        }
      }
      return count;
    },
  };
}

/** Adds the anchors of one kind of a level; returns the new count. */
function addAnchors(
  rows: Strip,
  columns: Strip,
  { start, width, rows: { length: kinds } }: AnchorLevel,
  kind: number,
  area: number,
  indices: Int32Array,
  ious: Float32Array,
  count: number,
): number {
  for (let y = rows.first; y <= rows.last; y++) {
    const [shareY, side] = [rows.shared[y], rows.side[y]];
    const id = start + kind + y * width * kinds;
    for (let x = columns.first; x <= columns.last; x++) {
      const shared = Math.fround(columns.shared[x] * shareY);
      if (shared === 0) continue;
      indices[count] = id + x * kinds;
      ious[count++] = iou32(shared, area, Math.fround(columns.side[x] * side));
    }
  }
  return count;
}

/** The cells along one axis whose anchors an object may overlap. */
class Strip {
  first = 0;
  /** Before `first` when there are none. */
  last = -1;
  /** By cell, from `first` to `last`: how far object and anchor overlap along the axis, 0 or more, */
  readonly shared: Float32Array;
  /** and the anchor's side. */
  readonly side: Float32Array;

  constructor(cells: number) {
    this.shared = new Float32Array(cells);
    this.side = new Float32Array(cells);
  }

  /** @param low, high of the object, in pixels */
  find({ low: lows, high: highs }: Edges, low: number, high: number, stride: number): void {
    // Anchors move by the stride from cell to cell; rounded outwards, as the edges themselves are rounded.
    this.first = Math.max(0, Math.floor((low - highs[0]) / stride));
    this.last = Math.min(lows.length - 1, Math.ceil((high - lows[0]) / stride));
    for (let cell = this.first; cell <= this.last; cell++) {
      this.shared[cell] = overlap32(low, high, lows[cell], highs[cell]);
      this.side[cell] = highs[cell] - lows[cell];
    }
  }
}
