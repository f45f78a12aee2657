/**
 * Puts a mask of M x M values into its box in the image: each pixel's centre is looked up in the mask, bilinearly, with
 * zeros around it, and the pixel belongs to the object when the value is at least one half. Written as runs, column by
 * column, so no image is filled.
 *
 * Half a cell outside the mask a value is at most half of its edge, so no pixel whose centre lies outside the box is set.
 */

import type { Rle } from '../../pycocotools/mask/rle.js';
import type { ImageSize } from './postprocess.js';

const THRESHOLD = 0.5;

/**
 * @param mask [M, M] probabilities, row-major
 * @param box [4] xyxy in pixels of the image, with an area
 */
export function pasteMask(mask: Float32Array, box: Float32Array, { height, width }: ImageSize): Rle {
  const size = Math.sqrt(mask.length);
  const columns = new AxisSamples(box[0], box[2], width, size);
  const rows = new AxisSamples(box[1], box[3], height, size);
  const runs = new RunWriter(height * width);
  const line = new Float64Array(size);
  for (let x = columns.first; x < columns.end; x++) {
    blendColumns(mask, size, columns.cell[x - columns.first], columns.rest[x - columns.first], line);
    for (let y = rows.first; y < rows.end; y++) {
      const [cell, rest] = [rows.cell[y - rows.first], rows.rest[y - rows.first]];
      const value = (1 - rest) * (line[cell] ?? 0) + rest * (line[cell + 1] ?? 0);
      if (value >= THRESHOLD) runs.add(x * height + y);
    }
  }
  return { height, width, counts: runs.finish() };
}

/** The mask between two of its columns, by rows. */
function blendColumns(mask: Float32Array, size: number, cell: number, rest: number, out: Float64Array): void {
  for (let y = 0; y < size; y++) {
    const left = cell >= 0 ? mask[y * size + cell] : 0;
    const right = cell + 1 < size ? mask[y * size + cell + 1] : 0;
    out[y] = (1 - rest) * left + rest * right;
  }
}

/** Where the centres of pixels lie between the centres of a mask's cells, along one axis. */
class AxisSamples {
  /** The pixels with their centre in the box, from the first to before the end. */
  readonly first: number;
  readonly end: number;
  /** By pixel from the first: the cell before its centre, -1 to M - 1, and the distance from that, 0 to 1. */
  readonly cell: Int32Array;
  readonly rest: Float64Array;

  constructor(low: number, high: number, pixels: number, size: number) {
    this.first = Math.max(0, Math.ceil(low - 0.5));
    this.end = Math.max(this.first, Math.min(pixels, Math.floor(high - 0.5) + 1));
    this.cell = new Int32Array(this.end - this.first);
    this.rest = new Float64Array(this.end - this.first);
    for (let i = 0; i < this.cell.length; i++) {
      const position = ((this.first + i + 0.5 - low) / (high - low)) * size - 0.5;
      this.cell[i] = Math.floor(position);
      this.rest[i] = position - this.cell[i];
    }
  }
}

/** Run lengths of a mask whose ones are added in ascending order. */
class RunWriter {
  readonly #pixels: number;
  readonly #counts: number[] = [];
  /** Before which the runs so far end; they end with ones, but for the start. */
  #end = 0;

  constructor(pixels: number) {
    this.#pixels = pixels;
  }

  add(pixel: number): void {
    if (pixel === this.#end && this.#counts.length > 0) this.#counts[this.#counts.length - 1]++;
    else this.#counts.push(pixel - this.#end, 1);
    this.#end = pixel + 1;
  }

  finish(): Uint32Array {
    if (this.#end < this.#pixels || this.#counts.length === 0) this.#counts.push(this.#pixels - this.#end);
    return Uint32Array.from(this.#counts);
  }
}
