/** Bicubic resizing written down literally, in doubles, pixel by pixel: crop, filter rows, round, filter columns, round. */

import type { Window } from '../../src/core/boxes.js';
import type { RawImage } from '../../src/image/types.js';

function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

/** Value at output `i` of a line that is read through `at(j)` for j from `first` to `end` - 1. */
function sample(at: (j: number) => number, i: number, low: number, step: number, first: number, end: number) {
  const centre = low + (i + 0.5) * step;
  const stretch = Math.max(1, step);
  let sum = 0;
  let weights = 0;
  for (let j = first; j < end; j++) {
    // Pillow looks at the pixels whose rounded distance is within the filter's support.
    if (j < Math.trunc(centre - 2 * stretch + 0.5) || j >= Math.trunc(centre + 2 * stretch + 0.5)) continue;
    const weight = cubic((j + 0.5 - centre) / stretch);
    sum += weight * at(j);
    weights += weight;
  }
  return Math.min(255, Math.max(0, Math.round(sum / weights)));
}

export function literalResize(source: RawImage, window: Window, size: number, context = false): Uint8Array {
  const range = (low: number, length: number, limit: number): [number, number] =>
    context ? [0, limit] : [Math.max(0, Math.floor(low)), Math.min(limit, Math.ceil(low + length))];
  const [left, right] = range(window.left, window.width, source.width);
  const [top, bottom] = range(window.top, window.height, source.height);
  const middle = new Uint8Array(source.height * size * 3);
  const result = new Uint8Array(size * size * 3);
  for (let y = top; y < bottom; y++) {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (j: number): number => source.data[(y * source.width + j) * 3 + c];
        middle[(y * size + x) * 3 + c] = sample(at, x, window.left, window.width / size, left, right);
      }
    }
  }
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let c = 0; c < 3; c++) {
        const at = (j: number): number => middle[(j * size + x) * 3 + c];
        result[(y * size + x) * 3 + c] = sample(at, y, window.top, window.height / size, top, bottom);
      }
    }
  }
  return result;
}

export function mirrored(image: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(image.length);
  for (let i = 0; i < image.length; i += 3) {
    const x = (i / 3) % size;
    result.set(image.subarray(i, i + 3), i + 3 * (size - 1 - 2 * x));
  }
  return result;
}
