/**
 * Polygons and boxes to run-length masks, with pycocotools' rule: the outline is drawn on a grid five times as fine, and
 * every crossing of a column's centre line toggles the fill (so self-intersections are even-odd). It is neither a
 * scan-line fill nor a pixel-centre rule, and must be followed to the letter to get the same pixels.
 */

import type { Box, Rle } from './rle.js';

const SCALE = 5;
/** Every step of the outline on the fine grid is walked: this bounds the time, at some 20 ms an edge. */
const LIMIT = 1e6;

/**
 * @param coordinates x0, y0, x1, y1, ... in pixels
 * @throws RangeError for an odd number of coordinates, or one that is not finite or beyond 10^6
 */
export function polygonToRle(coordinates: ArrayLike<number>, height: number, width: number): Rle {
  if (coordinates.length % 2 !== 0) {
    throw new RangeError(`a polygon has pairs of coordinates, not ${coordinates.length} numbers`);
  }
  for (let i = 0; i < coordinates.length; i++) {
    // Written so that NaN fails too.
    if (!(Math.abs(coordinates[i]) <= LIMIT)) {
      throw new RangeError(
        `coordinate ${i} of the polygon is ${coordinates[i]}; expected a number from -1e6 to 1e6`,
      );
    }
  }
  const corners = coordinates.length >> 1;
  const crossings: number[] = [];
  let previousX = 0;
  let previousY = 0;
  let first = true;
  for (let j = 0; j < corners; j++) {
    const next = j + 1 === corners ? 0 : j + 1;
    let xs = fine(coordinates[2 * j]);
    let ys = fine(coordinates[2 * j + 1]);
    let xe = fine(coordinates[2 * next]);
    let ye = fine(coordinates[2 * next + 1]);
    const dx = Math.abs(xe - xs);
    const dy = Math.abs(ye - ys);
    const flip = (dx >= dy && xs > xe) || (dx < dy && ys > ye);
    if (flip) [xs, xe, ys, ye] = [xe, xs, ye, ys];
    const alongX = dx >= dy;
    const length = alongX ? dx : dy;
    const slope = length === 0 ? 0 : (alongX ? ye - ys : xe - xs) / length;
    for (let d = 0; d <= length; d++) {
      const t = flip ? length - d : d;
      const x = alongX ? t + xs : Math.trunc(xs + slope * t + 0.5);
      const y = alongX ? Math.trunc(ys + slope * t + 0.5) : t + ys;
      if (!first && x !== previousX) {
        let column = x < previousX ? x : x - 1;
        column = (column + 0.5) / SCALE - 0.5;
        if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
          let row = Math.min(y, previousY);
          row = (row + 0.5) / SCALE - 0.5;
          row = Math.ceil(Math.min(Math.max(row, 0), height));
          crossings.push(column * height + row);
        }
      }
      first = false;
      previousX = x;
      previousY = y;
    }
  }
  return { height, width, counts: toggledRuns(crossings, height * width) };
}

/** The rectangle (x, y), (x, y + h), (x + w, y + h), (x + w, y) as a polygon. */
export function boxToRle([x, y, w, h]: Box, height: number, width: number): Rle {
  return polygonToRle([x, y, x, y + h, x + w, y + h, x + w, y], height, width);
}

function fine(coordinate: number): number {
  return Math.trunc(SCALE * coordinate + 0.5);
}

/** Run lengths between sorted toggles; runs of no length merge their neighbours, except the first. */
function toggledRuns(toggles: number[], pixels: number): Uint32Array {
  toggles.push(pixels);
  const sorted = Uint32Array.from(toggles).sort();
  const counts = new Uint32Array(sorted.length);
  let n = 0;
  let before = 0;
  let i = 0;
  const difference = () => {
    const run = sorted[i] - before;
    before = sorted[i++];
    return run;
  };
  counts[n++] = difference();
  while (i < sorted.length) {
    const run = difference();
    if (run > 0) counts[n++] = run;
    else if (i < sorted.length) counts[n - 1] += difference();
  }
  return counts.slice(0, n);
}
