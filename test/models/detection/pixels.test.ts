/** Normalising images in the graph against a literal version: both orders of channels, and what lies outside the images. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../../src/engine/runtime.js';
import { fedPixels, normalizedPixels, pixelInputs } from '../../../src/models/detection/pixels.js';
import { expectClose } from '../../helpers/arrays.js';
import { openRuntime } from '../../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const RED_FIRST = { mean: [123.675, 116.28, 103.53], deviation: [58.395, 57.12, 57.375] };

it.each(['torch', 'msra'] as const)('%s', async (style) => {
  const [height, width] = [4, 6];
  const sizes = Int32Array.of(4, 3, 2, 6);
  // Garbage outside the images must not be seen.
  const images = Uint8Array.from({ length: 2 * height * width * 3 }, (_, i) => (37 * i) % 256);
  const step = runtime.compile<string, 'y'>(`pixels_${style}`, pixelInputs(2), ({ images, sizes }) => ({
    y: normalizedPixels(images, sizes, style),
  }));
  const { y } = await step.runWithShapes(fedPixels({ images, height, width, sizes }));
  expect(y.shape).toEqual([2, height, width, 3]);
  const literal = Array.from(images, (_, i) => {
    const [c, x] = [i % 3, Math.floor(i / 3) % width];
    const row = Math.floor(i / 3 / width) % height;
    const n = Math.floor(i / 3 / width / height);
    if (row >= sizes[2 * n] || x >= sizes[2 * n + 1]) return 0;
    if (style === 'torch') return (images[i] - RED_FIRST.mean[c]) / RED_FIRST.deviation[c];
    return images[i - c + 2 - c] - RED_FIRST.mean[2 - c];
  });
  expectClose(y.data as Float32Array, literal, { absolute: 1e-6, relative: 1e-6 });
});
