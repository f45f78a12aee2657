/**
 * Bicubic resizing of a window of a picture, antialiased when it shrinks: Pillow's BICUBIC (Catmull-Rom, support scaled
 * with the reduction, horizontal pass first, 8 bits between the passes), within one grey level of it.
 *
 * A file of its own because sharp cannot place a window between pixels, and because a second call of sharp for each
 * window costs four times as much. Differs from Pillow in the precision of the weights: 14 bits instead of 22.
 */

import type { Window } from '../core/boxes.js';
import { filterTaps } from './filter-taps.js';
import { RESAMPLE, WEIGHT_BITS } from './resample-wasm.js';
import type { RawImage } from './types.js';
import { instantiate, type Loop, layout, reserve, type WasmMemory } from './wasm.js';

interface Kernel {
  memory: WasmMemory;
  rows: Loop;
  columns: Loop;
}

let shared: Kernel | undefined;
function kernel(): Kernel {
  shared ??= instantiate<Kernel>(RESAMPLE);
  return shared;
}

/** Below this side the kernel's blocks of 16 bytes do not fit into a row. */
export const MIN_OUTPUT_SIDE = 6;
const CONSTANT_SPACE = 64;

/**
 * Resizes `window` of `source` to a square, mirrors it if asked, and writes it into `target`.
 *
 * @param source [height, width, 3]
 * @param window in continuous pixels of the source, must overlap it
 * @param size side of the result in pixels, at least `MIN_OUTPUT_SIDE`
 * @param context whether the filter may read source pixels outside the window
 * @param target receives [size, size, 3]
 */
export function resample(
  source: RawImage,
  window: Window,
  size: number,
  flipped: boolean,
  context: boolean,
  target: Uint8Array,
): void {
  if (size < MIN_OUTPUT_SIDE) throw new RangeError(`output side ${size} is below ${MIN_OUTPUT_SIDE}`);
  const across = axisTaps(window.left, window.width, source.width, size, context);
  const down = axisTaps(window.top, window.height, source.height, size, context);
  if (flipped) mirror(across);
  const firstRow = Math.min(...down.starts);
  const rows = Math.max(...down.starts) + down.taps - firstRow;
  const readable = Math.min(rows, source.height - firstRow);
  const stride = source.width * 3;
  const middleStride = (size * 3 + 16) & ~15; // at least one byte of padding

  const tables = layout(CONSTANT_SPACE, size * 4, size * 4, size * across.taps * 2, size * down.taps * 2);
  const [acrossStarts, downStarts, acrossWeights, downWeights] = tables.offsets;
  const areas = layout(
    tables.end,
    (readable + 1) * stride + 64,
    (rows + 2) * middleStride,
    size * middleStride,
  );
  const [pixels, middle, result] = areas.offsets;
  const { memory, rows: resizeRows, columns: resizeColumns } = kernel();
  reserve(memory, areas.end);

  const buffer = memory.buffer;
  new Int32Array(buffer, acrossStarts, size).set(across.starts.map((start) => start * 3));
  new Int32Array(buffer, downStarts, size).set(down.starts.map((start) => (start - firstRow) * middleStride));
  new Int16Array(buffer, acrossWeights, across.weights.length).set(across.weights);
  new Int16Array(buffer, downWeights, down.weights.length).set(down.weights);
  const bytes = new Uint8Array(buffer);
  bytes.set(source.data.subarray(firstRow * stride, (firstRow + readable) * stride), pixels);

  const acrossBytes = across.taps * 2;
  resizeRows(pixels, stride, readable, middle, middleStride, size, acrossStarts, acrossWeights, acrossBytes);
  const width = size * 3;
  resizeColumns(
    middle,
    middleStride,
    result,
    middleStride,
    width,
    size,
    downStarts,
    downWeights,
    down.taps * 2,
  );
  for (let y = 0; y < size; y++) {
    const row = result + y * middleStride;
    target.set(bytes.subarray(row, row + width), y * width);
  }
}

/** First source pixel and weights of each output pixel along one axis. */
interface AxisTaps {
  /** [size] */
  starts: Int32Array;
  /** Taps per output pixel, even; unused ones have weight 0. */
  taps: number;
  /** [size, taps], each row sums to 2^WEIGHT_BITS */
  weights: Int16Array;
}

function axisTaps(low: number, length: number, sourceSize: number, size: number, context: boolean): AxisTaps {
  const step = length / size;
  const stretch = Math.max(step, 1);
  const { starts, counts, most, weights } = filterTaps({
    low,
    step,
    size,
    first: context ? 0 : Math.max(0, Math.floor(low + 1e-6)),
    end: context ? sourceSize : Math.min(sourceSize, Math.ceil(low + length - 1e-6)),
    support: 2 * stretch,
    weight: (distance) => catmullRom(distance / stretch),
  });
  const taps = Math.ceil(most / 2) * 2;
  const rounded = new Int16Array(size * taps);
  for (let i = 0; i < size; i++) {
    // Rounding the running total makes the weights sum to one, so a flat area keeps its exact value.
    let total = 0;
    let before = 0;
    for (let j = 0; j < counts[i]; j++) {
      total += weights[i * most + j];
      const next = Math.round(total * (1 << WEIGHT_BITS));
      rounded[i * taps + j] = next - before;
      before = next;
    }
  }
  return { starts, taps, weights: rounded };
}

/** Keys' cubic with a = -1/2. */
function catmullRom(x: number): number {
  const distance = Math.abs(x);
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  if (distance < 2) return ((-0.5 * distance + 2.5) * distance - 4) * distance + 2;
  return 0;
}

/** Reverses the order of the output pixels: mirroring costs nothing. */
function mirror({ starts, taps, weights }: AxisTaps): void {
  starts.reverse();
  weights.reverse();
  for (let i = 0; i < weights.length; i += taps) weights.subarray(i, i + taps).reverse();
}
