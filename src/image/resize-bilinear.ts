/**
 * Bilinear resizing of whole pictures, antialiased when it shrinks: the bytes of Pillow's BILINEAR, which Detectron2 feeds.
 *
 * Pillow filters rows first, then columns, rounds to 8 bits in between, and multiplies with weights of 22 fractional
 * bits. A side that stays is not filtered at all. Very tall pictures that get lower are filtered columns first, and from
 * version 13 on more of them; this is what the versions before 13 do. The resampler of views has 14 bits and SIMD:
 * faster, but not equal.
 */

import { type FilterTaps, filterTaps } from './filter-taps.js';
import type { RawImage } from './types.js';

/** Weights never are negative and sum to about 1, so that a sum of weighted bytes fits 31 bits. */
const WEIGHT_BITS = 22;
const HALF = 1 << (WEIGHT_BITS - 1);
/** How many times as high as wide a picture must be for its columns to come first. */
const VERY_TALL = 100;

/**
 * @param source [height, width, 3]; returned itself when it has the size already
 * @param width, height of the result, at least 1
 */
export function resizeBilinear(source: RawImage, width: number, height: number): RawImage {
  if (source.height > VERY_TALL * source.width && height < source.height) {
    return resizeRows(resizeColumns(source, height), width);
  }
  return resizeColumns(resizeRows(source, width), height);
}

/** [size, most] weights in fixed point, with what they belong to. */
interface AxisWeights extends Omit<FilterTaps, 'weights'> {
  weights: Int32Array;
}

function axisWeights(length: number, size: number): AxisWeights {
  const step = length / size;
  const support = Math.max(step, 1);
  const perPixel = 1 / support;
  const weight = (distance: number): number => Math.max(0, 1 - Math.abs(distance * perPixel));
  const taps = filterTaps({ low: 0, step, size, first: 0, end: length, support, weight });
  return { ...taps, weights: Int32Array.from(taps.weights, (exact) => exact * (1 << WEIGHT_BITS) + 0.5) };
}

function resizeRows(source: RawImage, width: number): RawImage {
  const { data, width: length, height } = source;
  if (width === length) return source;
  const { starts, counts, most, weights } = axisWeights(length, width);
  const result = new Uint8Array(width * height * 3);
  for (let y = 0, target = 0; y < height; y++) {
    for (let x = 0; x < width; x++, target += 3) {
      let [red, green, blue] = [HALF, HALF, HALF];
      let source = (y * length + starts[x]) * 3;
      for (let k = x * most; k < x * most + counts[x]; k++, source += 3) {
        red += Math.imul(data[source], weights[k]);
        green += Math.imul(data[source + 1], weights[k]);
        blue += Math.imul(data[source + 2], weights[k]);
      }
      result[target] = toByte(red);
      result[target + 1] = toByte(green);
      result[target + 2] = toByte(blue);
    }
  }
  return { data: result, width, height };
}

function resizeColumns(source: RawImage, height: number): RawImage {
  const { data, width, height: length } = source;
  if (height === length) return source;
  const { starts, counts, most, weights } = axisWeights(length, height);
  const stride = width * 3;
  const result = new Uint8Array(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let k = 0; k < counts[y]; k++) {
      const row = (starts[y] + k) * stride;
      const weight = weights[y * most + k];
      for (let i = 0; i < stride; i++) sums[i] += Math.imul(data[row + i], weight);
    }
    for (let i = 0; i < stride; i++) result[y * stride + i] = toByte(sums[i]);
  }
  return { data: result, width, height };
}

/** Rounded weights of very many pixels may sum to a little more than 1. */
function toByte(sum: number): number {
  return Math.min(sum >> WEIGHT_BITS, 255);
}
