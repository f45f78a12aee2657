/**
 * Bilinear resizing of whole pictures, antialiased when it shrinks: the bytes of Pillow's BILINEAR, which Detectron2 feeds.
 *
 * Pillow filters rows first, then columns, rounds to 8 bits in between, and multiplies with weights of 22 fractional
 * bits. A side that stays is not filtered at all. Very tall pictures that get lower are filtered columns first, and from
 * version 13 on more of them; this is what the versions before 13 do. The resampler of views has 14 bits: faster, but not
 * equal.
 */

import { type FilterTaps, filterTaps } from './filter-taps.js';
import { RESIZE, WEIGHT_BITS } from './resize-wasm.js';
import type { RawImage } from './types.js';
import { instantiate, type Loop, layout, reserve, type WasmMemory } from './wasm.js';

interface Kernel {
  memory: WasmMemory;
  rows: Loop;
  columns: Loop;
}

let shared: Kernel | undefined;
function kernel(): Kernel {
  shared ??= instantiate<Kernel>(RESIZE);
  return shared;
}

/** Memory that is kept for the next picture, bytes; WebAssembly's never shrinks. */
const KEPT_MEMORY = 1 << 26;
/** How many times as high as wide a picture must be for its columns to come first. */
const VERY_TALL = 100;

/**
 * @param source [height, width, 3]; returned itself when nothing is to be done
 * @param width, height of the result, at least 1
 * @param flipped whether the result is mirrored left to right
 */
export function resizeBilinear(source: RawImage, width: number, height: number, flipped = false): RawImage {
  if (source.height > VERY_TALL * source.width && height < source.height) {
    return resizeRows(resizeColumns(source, height), width, flipped);
  }
  return resizeColumns(resizeRows(source, width, flipped), height);
}

/** What each pixel of a resized line is made of; in fixed point, pixel by pixel. */
interface Taps extends Pick<FilterTaps, 'starts' | 'counts'> {
  weights: Int32Array;
}

function axisTaps(length: number, size: number, backwards = false): Taps {
  const step = length / size;
  const support = Math.max(step, 1);
  const perPixel = 1 / support;
  const weight = (distance: number): number => Math.max(0, 1 - Math.abs(distance * perPixel));
  const exact = filterTaps({ low: 0, step, size, first: 0, end: length, support, weight });
  const { starts, counts, most } = exact;
  const weights = new Int32Array(size * most);
  let used = 0;
  for (let i = 0; i < size; i++) {
    const row = (backwards ? size - 1 - i : i) * most;
    for (let k = row; k < row + counts[row / most]; k++) {
      weights[used++] = exact.weights[k] * (1 << WEIGHT_BITS) + 0.5;
    }
  }
  if (backwards) for (const each of [starts, counts]) each.reverse();
  return { starts, counts, weights: weights.subarray(0, used) };
}

function resizeRows(source: RawImage, width: number, flipped: boolean): RawImage {
  if (width === source.width && !flipped) return source;
  return run(source, axisTaps(source.width, width, flipped), { width, height: source.height }, 3, (at) => {
    const { height } = source;
    at.kernel.rows(at.source, at.stride, height, at.target, at.targetStride, width, at.taps, at.weights);
  });
}

function resizeColumns(source: RawImage, height: number): RawImage {
  if (height === source.height) return source;
  const size = { width: source.width, height };
  return run(source, axisTaps(source.height, height), size, strideOf(source.width), (at) => {
    at.kernel.columns(at.source, at.target, at.stride, height, at.taps, at.weights);
  });
}

/** Where things lie in the kernel's memory. */
interface Places {
  kernel: Kernel;
  source: number;
  stride: number;
  target: number;
  targetStride: number;
  taps: number;
  weights: number;
}

/** Brings a picture into the kernel's memory, and a resized one out. @param pitch bytes from a source pixel of a line to the next */
function run(
  source: RawImage,
  { starts, counts, weights }: Taps,
  size: { width: number; height: number },
  pitch: number,
  work: (at: Places) => void,
): RawImage {
  const own = kernel();
  const [stride, targetStride] = [strideOf(source.width), strideOf(size.width)];
  // A row more than there are, as rows go in pairs.
  const areas = [stride * (source.height + 1), targetStride * (size.height + 1)];
  const { offsets, end } = layout(0, 8 * starts.length, 4 * weights.length, ...areas);
  const [taps, weightsAt, from, to] = offsets;
  reserve(own.memory, end);
  const { buffer } = own.memory;
  const table = new Int32Array(buffer, taps, 2 * starts.length);
  for (let i = 0, end = weightsAt; i < starts.length; i++) {
    table[2 * i] = starts[i] * pitch;
    end += 4 * counts[i];
    table[2 * i + 1] = end;
  }
  new Int32Array(buffer, weightsAt, weights.length).set(weights);
  const bytes = new Uint8Array(buffer);
  copyRows(source.data, 3 * source.width, bytes.subarray(from), stride, source.height);
  work({ kernel: own, source: from, stride, target: to, targetStride, taps, weights: weightsAt });
  const data = new Uint8Array(3 * size.width * size.height);
  copyRows(bytes.subarray(to), targetStride, data, 3 * size.width, size.height);
  if (buffer.byteLength > KEPT_MEMORY) shared = undefined;
  return { data, ...size };
}

/** A row of pixels takes a multiple of 16 bytes, and at least one more than its own. */
function strideOf(width: number): number {
  return (3 * width + 16) & ~15;
}

function copyRows(from: Uint8Array, stride: number, to: Uint8Array, toStride: number, rows: number): void {
  const length = Math.min(stride, toStride);
  for (let y = 0; y < rows; y++) to.set(from.subarray(y * stride, y * stride + length), y * toStride);
}
