/** The graph's photometric chain against a literal one that follows Pillow's definitions, image by image. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import type { Runtime } from '../../src/engine/runtime.js';
import {
  type BlurBasis,
  type BlurDraw,
  bicubicMatrix,
  blurBasis,
  blurCoefficients,
} from '../../src/views/blur.js';
import { DEVIATION, MEAN } from '../../src/views/normalization.js';
import { augment, normalizeBytes } from '../../src/views/photometric.js';
import {
  drawPhotometric,
  type JitterOperation,
  NO_PHOTOMETRIC,
  type PhotometricDraw,
} from '../../src/views/photometric-draws.js';
import { COLOUR_PARAMETERS, colourParameters } from '../../src/views/photometric-parameters.js';
import { expectClose } from '../helpers/arrays.js';
import { openRuntime } from '../helpers/engine.js';

const SIDE = 24;
let compiled = 0;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

function picture(name: string): Uint8Array {
  const stream = new RandomStream(1, name);
  return Uint8Array.from({ length: SIDE * SIDE * 3 }, () => stream.integer(0, 256));
}

type Pixels = number[][];

const clip = (value: number) => Math.min(255, Math.max(0, value));
const luma = ([r, g, b]: number[]) => 0.299 * r + 0.587 * g + 0.114 * b;

/** Textbook conversion to hue in turns, saturation and value, and back. */
function shiftHue([r, g, b]: number[], turns: number): number[] {
  const value = Math.max(r, g, b);
  const chroma = value - Math.min(r, g, b);
  if (chroma === 0) return [r, g, b];
  const sixth = value === r ? (g - b) / chroma : value === g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
  const hue = (((sixth / 6 + turns) % 1) + 1) % 1;
  const x = chroma * (1 - Math.abs(((hue * 6) % 2) - 1));
  const m = value - chroma;
  const sector = Math.floor(hue * 6);
  const table = [
    [chroma, x, 0],
    [x, chroma, 0],
    [0, chroma, x],
    [0, x, chroma],
    [x, 0, chroma],
    [chroma, 0, x],
  ];
  return table[sector].map((v) => v + m);
}

const OPERATIONS: Record<JitterOperation, (pixels: Pixels, draw: PhotometricDraw) => Pixels> = {
  brightness: (pixels, { brightness }) => pixels.map((p) => p.map((v) => clip(v * brightness))),
  contrast: (pixels, { contrast }) => {
    const mean = pixels.reduce((sum, p) => sum + luma(p), 0) / pixels.length;
    return pixels.map((p) => p.map((v) => clip(v * contrast + mean * (1 - contrast))));
  },
  saturation: (pixels, { saturation }) =>
    pixels.map((p) => p.map((v) => clip(v * saturation + luma(p) * (1 - saturation)))),
  hue: (pixels, { hue }) => pixels.map((p) => shiftHue(p, hue)),
};

function literalBlur(pixels: Pixels, draw: BlurDraw): Pixels {
  if (draw.kind === 'none') return pixels;
  const apply = (values: number[]): number[] => {
    if (draw.kind === 'resized') {
      const small = Math.floor(SIDE / [1.1, 1.2, 1.5][draw.level]);
      const multiply = (matrix: Float64Array, v: number[], rows: number) =>
        Array.from({ length: rows }, (_, row) =>
          v.reduce((sum, value, i) => sum + value * matrix[row * v.length + i], 0),
        );
      return multiply(bicubicMatrix(small, SIDE), multiply(bicubicMatrix(SIDE, small), values, small), SIDE);
    }
    const radius = Math.floor(Math.trunc(0.1 * SIDE) / 2);
    const kernel = Array.from({ length: 2 * radius + 1 }, (_, i) =>
      Math.exp(-((i - radius) ** 2) / (2 * draw.sigma ** 2)),
    );
    const total = kernel.reduce((a, b) => a + b);
    return values.map((_, i) =>
      kernel.reduce((sum, weight, k) => {
        let j = Math.abs(i + k - radius);
        if (j >= SIDE) j = 2 * SIDE - 2 - j;
        return sum + (weight / total) * values[j];
      }, 0),
    );
  };
  const out: Pixels = pixels.map(() => [0, 0, 0]);
  for (let c = 0; c < 3; c++) {
    const columns = Array.from({ length: SIDE }, (_, x) =>
      apply(Array.from({ length: SIDE }, (_, y) => pixels[y * SIDE + x][c])),
    );
    for (let y = 0; y < SIDE; y++) {
      const row = apply(columns.map((column) => column[y]));
      for (let x = 0; x < SIDE; x++) out[y * SIDE + x][c] = clip(row[x]);
    }
  }
  return out;
}

function literal(bytes: Uint8Array, draw: PhotometricDraw): number[] {
  let pixels: Pixels = Array.from({ length: SIDE * SIDE }, (_, i) => [...bytes.subarray(3 * i, 3 * i + 3)]);
  if (draw.jitter) for (const name of draw.order) pixels = OPERATIONS[name](pixels, draw);
  if (draw.grayscale) pixels = pixels.map((p) => [luma(p), luma(p), luma(p)]);
  pixels = literalBlur(pixels, draw.blur);
  if (draw.solarize) pixels = pixels.map((p) => p.map((v) => (v >= 127.5 ? 255 - v : v)));
  return pixels.flatMap((p) => p.map((v, c) => (v / 255 - MEAN[c]) / DEVIATION[c]));
}

async function inGraph(images: Uint8Array[], draws: PhotometricDraw[], basis: BlurBasis) {
  const count = images.length;
  const step = runtime.compile(
    `augment_${basis.kind}_${count}_${compiled++}`,
    {
      images: { type: 'uint8', shape: [count, SIDE, SIDE, 3] },
      colour: { type: 'float32', shape: [count, COLOUR_PARAMETERS] },
      blur: { type: 'float32', shape: [count, basis.count] },
    },
    (inputs) => ({ views: augment(inputs, basis) }),
  );
  const colour = new Float32Array(count * COLOUR_PARAMETERS);
  const blur = new Float32Array(count * basis.count);
  draws.forEach((draw, i) => {
    colourParameters(draw, colour, i * COLOUR_PARAMETERS);
    blurCoefficients(basis, draw.blur, blur, i * basis.count);
  });
  const { views } = await step.run({ images: Uint8Array.from(images.flatMap((i) => [...i])), colour, blur });
  return (i: number) => views.slice(i * SIDE * SIDE * 3, (i + 1) * SIDE * SIDE * 3) as Float32Array;
}

/** Half a percent of one 8-bit level; float32 rounding near the solarize threshold may flip single values. */
const TOLERANCE = { absolute: 1e-3, relative: 0 };

describe('augment', () => {
  it('applies the four jitter operations in every one of the 24 orders', async () => {
    const names: JitterOperation[] = ['brightness', 'contrast', 'saturation', 'hue'];
    const orders = names.flatMap((a) =>
      names.flatMap((b) =>
        names.flatMap((c) =>
          names.filter((d) => new Set([a, b, c, d]).size === 4).map((d) => [a, b, c, d] as const),
        ),
      ),
    );
    expect(orders.length).toBe(24);
    const draws = orders.map((order, i) => ({
      ...NO_PHOTOMETRIC,
      jitter: true,
      order,
      brightness: 0.6 + 0.03 * i,
      contrast: 1.4 - 0.03 * i,
      saturation: 0.8 + 0.015 * i,
      hue: -0.1 + 0.008 * i,
    }));
    const images = orders.map((_, i) => picture(`order ${i}`));
    const result = await inGraph(images, draws, blurBasis('resized', SIDE));
    draws.forEach((draw, i) => {
      expectClose(result(i), literal(images[i], draw), TOLERANCE);
    });
  });

  it.each(['resized', 'gaussian'] as const)('agrees on drawn parameters, %s blur', async (kind) => {
    const draws = Array.from({ length: 16 }, (_, i) =>
      drawPhotometric(new RandomStream(5, 'draw', 0, i), i < 8 ? 0 : 1, 'simclr', kind),
    );
    const images = draws.map((_, i) => picture(`drawn ${i}`));
    const result = await inGraph(images, draws, blurBasis(kind, SIDE));
    draws.forEach((draw, i) => {
      expectClose(result(i), literal(images[i], draw), TOLERANCE);
    });
  });

  it('grayscale, solarize and each blur on their own; nothing drawn only normalises', async () => {
    const draws: PhotometricDraw[] = [
      NO_PHOTOMETRIC,
      { ...NO_PHOTOMETRIC, grayscale: true },
      { ...NO_PHOTOMETRIC, solarize: true },
      { ...NO_PHOTOMETRIC, blur: { kind: 'resized', level: 0 } },
      { ...NO_PHOTOMETRIC, blur: { kind: 'resized', level: 2 } },
    ];
    const images = draws.map((_, i) => picture(`single ${i}`));
    const result = await inGraph(images, draws, blurBasis('resized', SIDE));
    draws.forEach((draw, i) => {
      expectClose(result(i), literal(images[i], draw), TOLERANCE);
    });
    const step = runtime.compile(
      'normalize',
      { images: { type: 'uint8', shape: [1, SIDE, SIDE, 3] } },
      ({ images }) => ({ views: normalizeBytes(images) }),
    );
    const { views } = await step.run({ images: images[0] });
    expectClose(views as Float32Array, literal(images[0], NO_PHOTOMETRIC), TOLERANCE);
  });
});

describe('blur', () => {
  it('keeps a constant picture: rows of every matrix add up to 1', () => {
    const basis = blurBasis('resized', 32);
    for (let row = 0; row < basis.count * 32; row++) {
      const sum = basis.matrices.subarray(row * 32, row * 32 + 32).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(1, 5);
    }
    const gaussian = blurBasis('gaussian', 32);
    const coefficients = new Float32Array(gaussian.count);
    blurCoefficients(gaussian, { kind: 'gaussian', sigma: 1.3 }, coefficients, 0);
    const total = coefficients.reduce((sum, weight, k) => sum + (k === 0 ? weight : 2 * weight), 0);
    expect(total).toBeCloseTo(1, 6);
  });

  it("has Pillow's bicubic weights for 4 to 2 samples", () => {
    // PIL.Image.resize of [0, 0, 1, 0] etc. with BICUBIC: support 4, weights at distances 0.25, 0.75, 1.25, ... / 1.
    const row = Array.from(bicubicMatrix(4, 2).subarray(0, 4));
    const weight = (x: number) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2);
    const raw = [0.25, 0.25, 0.75, 1.25].map(weight);
    const sum = raw.reduce((a, b) => a + b);
    expectClose(
      row,
      raw.map((w) => w / sum),
    );
  });

  it('refuses a draw of the other kind', () => {
    expect(() =>
      blurCoefficients(blurBasis('resized', 8), { kind: 'gaussian', sigma: 1 }, new Float32Array(9), 0),
    ).toThrow('a gaussian blur was drawn for a resized basis');
  });
});
