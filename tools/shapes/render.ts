/** Renders one scene: a textured ground and, back to front, shaded objects; and which object each pixel shows. */

import { RandomStream } from '../../src/core/rng.js';
import { CATEGORIES, type Category } from './categories.js';

export interface PlacedObject {
  category: Category;
  /** A group of small objects of one category, annotated as one crowd. */
  crowd: boolean;
}

export interface Scene {
  width: number;
  height: number;
  /** [height, width, 3] */
  pixels: Uint8Array;
  objects: PlacedObject[];
  /** [height, width]: index of the object that is seen, or -1 for the ground. */
  owners: Int16Array;
}

type Colour = readonly [number, number, number];

const CROWD_CHANCE = 0.06;
const TINY_CHANCE = 0.12;

/**
 * Image `index` of a split: the same whatever else is rendered.
 *
 * @param size longer side in pixels
 */
export function renderScene(seed: number, split: string, index: number, size: number): Scene {
  const stream = new RandomStream(seed, `shapes/${split}`, 0, index);
  const shorter = Math.round(size * stream.between(0.66, 1));
  const [width, height] = stream.chance(0.7) ? [size, shorter] : [shorter, size];
  const canvas = new Float32Array(width * height * 3);
  paintGround(canvas, width, height, stream);
  const objects: PlacedObject[] = [];
  const owners = new Int16Array(width * height).fill(-1);
  const count = stream.integer(1, 9);
  for (let i = 0; i < count; i++) {
    const category = CATEGORIES[stream.integer(0, CATEGORIES.length)];
    const crowd = stream.chance(CROWD_CHANCE);
    objects.push({ category, crowd });
    const radius =
      size * (stream.chance(TINY_CHANCE) ? stream.between(0.02, 0.04) : stream.between(0.09, 0.22));
    const center = [stream.between(0.1, 0.9) * width, stream.between(0.1, 0.9) * height] as const;
    const members = crowd ? stream.integer(8, 14) : 1;
    for (let m = 0; m < members; m++) {
      const spread = crowd ? 0.16 * size : 0;
      const at = [center[0] + stream.between(-spread, spread), center[1] + stream.between(-spread, spread)];
      const memberRadius = crowd ? 0.035 * size : radius;
      paintObject({ canvas, owners, width, height }, category, i, at[0], at[1], memberRadius, stream);
    }
  }
  // Clamped arrays round and clip.
  const pixels = new Uint8Array(Uint8ClampedArray.from(canvas).buffer);
  return { width, height, pixels, objects, owners };
}

function paintGround(canvas: Float32Array, width: number, height: number, stream: RandomStream): void {
  const [a, b] = [randomColour(stream), randomColour(stream)];
  const kind = stream.integer(0, 4);
  const angle = stream.between(0, Math.PI);
  const period = stream.between(14, 60);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const cells = Array.from({ length: 12 * 12 }, () => stream.uniform());
  const mixes: ((x: number, y: number, along: number) => number)[] = [
    (_x, _y, along) => 0.5 + 0.5 * Math.sin((2 * Math.PI * along) / period),
    (_x, _y, along) => along / (width + height) + 0.5,
    (x, y) => smoothNoise(cells, (11 * x) / width, (11 * y) / height),
    (x, y, along) => (Math.floor(along / period) + Math.floor((x * sin - y * cos) / period)) & 1,
  ];
  const mix = mixes[kind];
  const grain = new Float32Array(width * height);
  stream.fillUniform(grain, -5, 5);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      // Half the contrast of objects, so that these stand out.
      const share = 0.25 + 0.5 * Math.max(0, Math.min(1, mix(x, y, x * cos + y * sin)));
      for (let c = 0; c < 3; c++) canvas[pixel * 3 + c] = a[c] * share + b[c] * (1 - share) + grain[pixel];
    }
  }
}

/** Bilinear interpolation of 12 x 12 random cells. */
function smoothNoise(cells: number[], x: number, y: number): number {
  const [i, j] = [Math.min(10, Math.floor(x)), Math.min(10, Math.floor(y))];
  const [u, v] = [x - i, y - j];
  const at = j * 12 + i;
  const upper = cells[at] * (1 - u) + cells[at + 1] * u;
  const lower = cells[at + 12] * (1 - u) + cells[at + 13] * u;
  return upper * (1 - v) + lower * v;
}

interface Target {
  canvas: Float32Array;
  owners: Int16Array;
  width: number;
  height: number;
}

function paintObject(
  { canvas, owners, width, height }: Target,
  { distance, pattern }: Category,
  owner: number,
  centerX: number,
  centerY: number,
  radius: number,
  stream: RandomStream,
): void {
  const colours = [randomColour(stream), randomColour(stream)];
  const angle = stream.between(0, 2 * Math.PI);
  const light = stream.between(0, 2 * Math.PI);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const reach = Math.ceil(radius * 1.1) + 1;
  const [left, right] = [
    Math.max(0, Math.floor(centerX - reach)),
    Math.min(width, Math.ceil(centerX + reach)),
  ];
  const [top, bottom] = [
    Math.max(0, Math.floor(centerY - reach)),
    Math.min(height, Math.ceil(centerY + reach)),
  ];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const [dx, dy] = [(x + 0.5 - centerX) / radius, (y + 0.5 - centerY) / radius];
      const [u, v] = [dx * cos + dy * sin, dy * cos - dx * sin];
      const signed = distance(u, v) * radius;
      // The edge is a ramp one pixel wide.
      const cover = Math.max(0, Math.min(1, 0.5 - signed));
      if (cover === 0) continue;
      const shade = 1 + 0.25 * (dx * Math.cos(light) + dy * Math.sin(light));
      const colour = colours[pattern(u, v)];
      const pixel = y * width + x;
      for (let c = 0; c < 3; c++) {
        canvas[pixel * 3 + c] = colour[c] * shade * cover + canvas[pixel * 3 + c] * (1 - cover);
      }
      if (cover >= 0.5) owners[pixel] = owner;
    }
  }
}

function randomColour(stream: RandomStream): Colour {
  return [stream.between(15, 240), stream.between(15, 240), stream.between(15, 240)];
}
