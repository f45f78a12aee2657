/**
 * Polygons and boxes to run-length masks, with pycocotools' rule: the outline is drawn on a grid five times as fine, and
 * every crossing of a column's centre line toggles the fill (so self-intersections are even-odd). It is neither a
 * scan-line fill nor a pixel-centre rule, and must be followed to the letter to get the same pixels.
 */

import type { Box, Rle } from './rle.js';

const SCALE = 5;
/** Coordinates on the fine grid are 32-bit integers in the reference. */
const LIMIT = 1e8;

/**
 * @param coordinates x0, y0, x1, y1, ... in pixels
 * @throws RangeError for an odd number of coordinates, or one that is not finite or beyond 10^8
 */
export function polygonToRle(coordinates: ArrayLike<number>, height: number, width: number): Rle {
  if (coordinates.length % 2 !== 0) {
    throw new RangeError(`a polygon has pairs of coordinates, not ${coordinates.length} numbers`);
  }
  for (let i = 0; i < coordinates.length; i++) {
    // Written so that NaN fails too.
    if (!(Math.abs(coordinates[i]) <= LIMIT)) {
      throw new RangeError(
        `coordinate ${i} of the polygon is ${coordinates[i]}; expected a number from -1e8 to 1e8`,
      );
    }
  }
  const toggles = new Toggles(height, width);
  for (let i = 0; i < coordinates.length; i += 2) {
    const next = i + 2 === coordinates.length ? 0 : i + 2;
    toggles.edge(
      fine(coordinates[i]),
      fine(coordinates[i + 1]),
      fine(coordinates[next]),
      fine(coordinates[next + 1]),
    );
  }
  return { height, width, counts: toggles.runs() };
}

/** The rectangle (x, y), (x, y + h), (x + w, y + h), (x + w, y) as a polygon. */
export function boxToRle([x, y, w, h]: Box, height: number, width: number): Rle {
  return polygonToRle([x, y, x, y + h, x + w, y + h, x + w, y], height, width);
}

function fine(coordinate: number): number {
  return Math.trunc(SCALE * coordinate + 0.5);
}

/** Where an outline crosses the centre lines of columns; kept, as it would be made anew for every polygon. */
let places = new Uint32Array(1024);

/**
 * The crossings of one outline. The reference draws every point of it; the centre line of column c lies between the fine
 * columns 5c + 2 and 5c + 3, so only the two points on either side of that are computed here, by the same formulas.
 */
class Toggles {
  readonly #height: number;
  readonly #width: number;
  #count = 0;

  constructor(height: number, width: number) {
    this.#height = height;
    this.#width = width;
  }

  /** An edge in fine coordinates. Its direction makes no difference. */
  edge(x0: number, y0: number, x1: number, y1: number): void {
    const [low, high] = [Math.min(x0, x1), Math.max(x0, x1)];
    // Fine columns on the left of a centre line, among those of the edge and of the image.
    const first = Math.max(0, Math.ceil((low - 2) / SCALE));
    const last = Math.min(this.#width - 1, Math.floor((high - 3) / SCALE));
    if (first > last) return;
    const [dx, dy] = [high - low, Math.abs(y1 - y0)];
    if (dx >= dy) {
      const start = x0 < x1 ? y0 : y1;
      const slope = ((x0 < x1 ? y1 : y0) - start) / dx;
      for (let column = first; column <= last; column++) {
        const t = SCALE * column + 2 - low;
        this.#add(
          column,
          Math.min(Math.trunc(start + slope * t + 0.5), Math.trunc(start + slope * (t + 1) + 0.5)),
        );
      }
      return;
    }
    const top = Math.min(y0, y1);
    const start = y0 < y1 ? x0 : x1;
    const slope = ((y0 < y1 ? x1 : x0) - start) / dy;
    for (let column = first; column <= last; column++) {
      // The first step beyond the centre line: guessed, and found by the value that the reference would compute.
      const line = SCALE * column + 3;
      const beyond = (t: number) => start + slope * t + 0.5 >= line === slope > 0;
      let t = Math.min(dy, Math.max(1, Math.ceil((line - 0.5 - start) / slope)));
      while (t > 1 && beyond(t - 1)) t--;
      while (t < dy && !beyond(t)) t++;
      this.#add(column, top + t - 1);
    }
  }

  #add(column: number, fineRow: number): void {
    if (this.#count === places.length) {
      const larger = new Uint32Array(2 * places.length);
      larger.set(places);
      places = larger;
    }
    const row = (fineRow + 0.5) / SCALE - 0.5;
    places[this.#count++] = column * this.#height + Math.ceil(Math.min(Math.max(row, 0), this.#height));
  }

  /** Run lengths between the crossings; runs of no length merge their neighbours, except the first. */
  runs(): Uint32Array {
    const sorted = places.subarray(0, this.#count).sort();
    const counts = new Uint32Array(sorted.length + 1);
    let n = 0;
    let before = 0;
    // After a run of no length the next one is added to the run before it.
    let joins = false;
    for (let i = 0; i <= sorted.length; i++) {
      const place = i < sorted.length ? sorted[i] : this.#height * this.#width;
      const run = place - before;
      before = place;
      if (joins) {
        counts[n - 1] += run;
        joins = false;
      } else if (run > 0 || n === 0) counts[n++] = run;
      else joins = true;
    }
    return counts.subarray(0, n);
  }
}
