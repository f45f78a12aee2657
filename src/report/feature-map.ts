/**
 * Feature maps as pictures: enlarged to the pixels that they describe, stretched to a range, coloured.
 *
 * Cell k of a map of stride s is centred on pixel s * k, not in the middle of a tile: that is where the paddings of a ResNet
 * put it. Between the centres values are interpolated, beyond the last one they are repeated.
 */

import type { Colour, Picture } from './canvas.js';

/** Dark to bright in equal steps of lightness; anchors, interpolated between. */
const HEAT: readonly Colour[] = [
  [8, 6, 30],
  [70, 15, 100],
  [150, 40, 100],
  [220, 80, 50],
  [250, 160, 30],
  [252, 250, 170],
];

/**
 * @param map [cells, cells, channels]
 * @param side of the picture, pixels
 * @returns [side, side, channels]
 */
export function enlargeMap(
  map: ArrayLike<number>,
  channels: number,
  stride: number,
  side: number,
): Float32Array {
  const cells = Math.sqrt(map.length / channels);
  const out = new Float32Array(side * side * channels);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      interpolate(map, cells, channels, x / stride, y / stride, out, (y * side + x) * channels);
    }
  }
  return out;
}

/**
 * The features at a point, in pixels (the first covers [0, 1)): between the centres of cells.
 *
 * @param map [cells, cells, channels]
 */
export function sampleMap(
  map: ArrayLike<number>,
  channels: number,
  stride: number,
  [x, y]: readonly [number, number],
): Float32Array {
  const cells = Math.sqrt(map.length / channels);
  const out = new Float32Array(channels);
  interpolate(map, cells, channels, (x - 0.5) / stride, (y - 0.5) / stride, out, 0);
  return out;
}

/** Centre of a cell in pixels. @param index row by row */
export function cellCentre(index: number, cells: number, stride: number): [x: number, y: number] {
  return [(index % cells) * stride + 0.5, Math.floor(index / cells) * stride + 0.5];
}

function interpolate(
  map: ArrayLike<number>,
  cells: number,
  channels: number,
  u: number,
  v: number,
  out: Float32Array,
  at: number,
): void {
  const [left, right, x] = between(u, cells);
  const [top, bottom, y] = between(v, cells);
  for (let c = 0; c < channels; c++) {
    const value = (row: number, column: number) => map[(row * cells + column) * channels + c];
    const above = value(top, left) * (1 - x) + value(top, right) * x;
    const below = value(bottom, left) * (1 - x) + value(bottom, right) * x;
    out[at + c] = above * (1 - y) + below * y;
  }
}

/** The two cells around a place, and how far it is from the first. */
function between(place: number, cells: number): [number, number, number] {
  const inside = Math.min(Math.max(place, 0), cells - 1);
  const first = Math.min(Math.floor(inside), Math.max(cells - 2, 0));
  return [first, Math.min(first + 1, cells - 1), inside - first];
}

/**
 * Stretches each channel so that its percentiles become 0 and 1, and cuts off what lies beyond. A constant channel becomes
 * 0.5.
 *
 * @param values [rows, channels]
 * @param low, high percentiles, 0 to 100
 */
export function stretch(
  values: ArrayLike<number>,
  channels: number,
  low: number,
  high: number,
): Float32Array {
  const out = new Float32Array(values.length);
  for (let c = 0; c < channels; c++) {
    const column = Float64Array.from(
      { length: values.length / channels },
      (_, r) => values[r * channels + c],
    );
    column.sort();
    const from = percentile(column, low);
    const range = percentile(column, high) - from;
    for (let i = c; i < values.length; i += channels) {
      out[i] = range > 0 ? Math.min(Math.max((values[i] - from) / range, 0), 1) : 0.5;
    }
  }
  return out;
}

/** @param sorted ascending */
function percentile(sorted: Float64Array, percent: number): number {
  const place = (percent / 100) * (sorted.length - 1);
  const first = Math.floor(place);
  const next = Math.min(first + 1, sorted.length - 1);
  return sorted[first] + (sorted[next] - sorted[first]) * (place - first);
}

/** @param values [side, side, 3], 0 to 1 */
export function colourPicture(values: Float32Array, side: number): Picture {
  return { data: Uint8Array.from(values, (value) => Math.round(255 * value)), width: side, height: side };
}

/**
 * Heat over a picture in grey, so that one sees what is where.
 *
 * @param values [side, side], 0 to 1
 */
export function heatPicture(values: Float32Array, { data, width, height }: Picture, share = 0.7): Picture {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < width * height; i++) {
    const grey = 0.3 * data[3 * i] + 0.59 * data[3 * i + 1] + 0.11 * data[3 * i + 2];
    for (const [c, heat] of heatColour(values[i]).entries()) {
      out[3 * i + c] = Math.round((1 - share) * grey + share * heat);
    }
  }
  return { data: out, width, height };
}

function heatColour(value: number): Colour {
  const [first, second, share] = between(value * (HEAT.length - 1), HEAT.length);
  const mix = (c: 0 | 1 | 2) => HEAT[first][c] * (1 - share) + HEAT[second][c] * share;
  return [mix(0), mix(1), mix(2)];
}
