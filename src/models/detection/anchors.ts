/**
 * Anchors (Ren et al., Faster R-CNN, 2015) on a feature pyramid: at each cell of each level a few boxes of the same area
 * and different ratios. They are not kept as a list: along one axis all anchors of a kind have the same edges in every row,
 * so a level is described by its edges, which is also how what overlaps an object is found without looking at all.
 *
 * As Detectron2 with this configuration: centres lie at a cell's upper left corner, nothing is rounded to pixels, and boxes
 * that cross the border stay. All numbers are rounded to float32 where Detectron2 rounds: ties of IoU depend on it.
 *
 * The flat order is level, row, column, ratio. Letters: L levels, H and W cells of a level, A kinds (ratios) at a cell.
 */

import type { FeatureMap } from '../../ops/roi-rows.js';

export interface AnchorOptions {
  /** [L] side of the square with an anchor's area, in pixels */
  readonly sizes: readonly number[];
  /** [A] height over width */
  readonly ratios: readonly number[];
  /** [L] pixels from one cell to the next */
  readonly strides: readonly number[];
}

/** One size for each of p2 to p6. */
export const DEFAULT_ANCHORS: AnchorOptions = {
  sizes: [32, 64, 128, 256, 512],
  ratios: [0.5, 1, 2],
  strides: [4, 8, 16, 32, 64],
};

/** The edges of one kind's anchors along one axis, in pixels. */
export interface Edges {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** The anchors of a level. */
export interface AnchorLevel extends FeatureMap {
  /** Flat index of the first; the level has H W A. */
  readonly start: number;
  /** [A], each with W edges */
  readonly columns: readonly Edges[];
  /** [A], each with H edges */
  readonly rows: readonly Edges[];
}

/** The cell of an anchor, and which of the cell's anchors it is. */
export interface AnchorPlace {
  readonly level: AnchorLevel;
  readonly y: number;
  readonly x: number;
  readonly kind: number;
}

/** All anchors of an input of one size. */
export class AnchorGrid {
  readonly levels: readonly AnchorLevel[];
  /** Anchors of all levels. */
  readonly count: number;
  /** A */
  readonly kinds: number;

  /**
   * @param height, width of the padded input, in pixels
   * @throws RangeError for numbers of sizes and strides that differ
   */
  constructor(height: number, width: number, options: AnchorOptions = DEFAULT_ANCHORS) {
    const { sizes, ratios, strides } = options;
    if (sizes.length !== strides.length)
      throw new RangeError(`anchors: ${sizes.length} sizes for ${strides.length} levels`);
    this.kinds = ratios.length;
    let start = 0;
    this.levels = strides.map((stride, l) => {
      const map = { height: Math.ceil(height / stride), width: Math.ceil(width / stride), stride };
      const level = anchorLevel(map, sizes[l], ratios, start);
      start += map.height * map.width * ratios.length;
      return level;
    });
    this.count = start;
  }

  /** @returns [count, 4] xyxy in pixels */
  boxes(): Float32Array {
    const boxes = new Float32Array(4 * this.count);
    let at = 0;
    for (const level of this.levels) {
      for (let y = 0; y < level.height; y++) {
        for (let x = 0; x < level.width; x++) {
          for (let a = 0; a < this.kinds; a++, at += 4) writeAnchor(level, y, x, a, boxes, at);
        }
      }
    }
    return boxes;
  }

  /** The boxes of some anchors. @param ids flat indices  @returns [ids, 4]  @throws RangeError when there is none such */
  boxesOf(ids: Int32Array): Float32Array {
    const boxes = new Float32Array(4 * ids.length);
    for (let i = 0; i < ids.length; i++) {
      const { level, y, x, kind } = this.placeOf(ids[i]);
      writeAnchor(level, y, x, kind, boxes, 4 * i);
    }
    return boxes;
  }

  /** Where an anchor is. @throws RangeError when there is no such anchor */
  placeOf(id: number): AnchorPlace {
    const level = id < this.count ? this.levels.findLast(({ start }) => start <= id) : undefined;
    if (level === undefined) throw new RangeError(`anchors: there is no anchor ${id} of ${this.count}`);
    const place = id - level.start;
    const cell = Math.floor(place / this.kinds);
    const y = Math.floor(cell / level.width);
    return { level, y, x: cell - y * level.width, kind: place - cell * this.kinds };
  }
}

function writeAnchor(
  { rows, columns }: AnchorLevel,
  y: number,
  x: number,
  a: number,
  out: Float32Array,
  at: number,
): void {
  out[at] = columns[a].low[x];
  out[at + 1] = rows[a].low[y];
  out[at + 2] = columns[a].high[x];
  out[at + 3] = rows[a].high[y];
}

function anchorLevel(map: FeatureMap, size: number, ratios: readonly number[], start: number): AnchorLevel {
  const widths = ratios.map((ratio) => Math.sqrt((size * size) / ratio));
  const heights = widths.map((width, a) => ratios[a] * width);
  return {
    ...map,
    start,
    columns: widths.map((width) => edges(width, map.width, map.stride)),
    rows: heights.map((height) => edges(height, map.height, map.stride)),
  };
}

/** Half a side is rounded before it is added to the centre; storing rounds the sum. */
function edges(side: number, cells: number, stride: number): Edges {
  const half = Math.fround(side / 2);
  return {
    low: Float32Array.from({ length: cells }, (_, cell) => cell * stride - half),
    high: Float32Array.from({ length: cells }, (_, cell) => cell * stride + half),
  };
}
