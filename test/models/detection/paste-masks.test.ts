/** Pasting: Detectron2's pixels, and every pixel of random masks by the definition. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import { pasteMask } from '../../../src/models/detection/paste-masks.js';
import { area, decode, encode } from '../../../src/pycocotools/mask/rle.js';
import { u } from '../../helpers/counter-hash.js';
import { readOpVectors } from '../../helpers/op-vectors.js';

const { mask_paste: golden } = readOpVectors();
const SIZE = { height: 60, width: 80 };

const MASKS = {
  blob: (x: number, y: number) =>
    Math.min(Math.max(1.2 - ((x - 13.5) ** 2 / 90 + (y - 13.5) ** 2 / 120), 0), 1),
  noise: (x: number, y: number) => u(28 * y + x, 1300),
};

it.each(golden.cases)('$mask in $box has the pixels of Detectron2', ({ mask, box, area: pixels, counts }) => {
  const values = Float32Array.from({ length: 784 }, (_, i) => MASKS[mask](i % 28, Math.floor(i / 28)));
  const pasted = pasteMask(values, Float32Array.from(box), SIZE);
  expect(area(pasted)).toBe(pixels);
  if (counts !== undefined) expect([...pasted.counts]).toEqual(counts);
});

describe('the vectors of the specification', () => {
  const rows = (mask: Float32Array, box: number[]) => {
    const pixels = decode(pasteMask(mask, Float32Array.from(box), { height: 8, width: 8 }));
    return Array.from({ length: 8 }, (_, y) =>
      Array.from({ length: 8 }, (_, x) => pixels[8 * x + y]).join(''),
    );
  };

  it('a square in the middle', () => {
    const mask = new Float32Array(16);
    for (const i of [5, 6, 9, 10]) mask[i] = 1;
    const [none, short, long] = ['00000000', '00011000', '00111100'];
    expect(rows(mask, [1, 1, 7, 7])).toEqual([none, none, short, long, long, short, none, none]);
  });

  it('a constant', () => {
    const [none, some] = ['00000000', '00111100'];
    expect(rows(new Float32Array(16).fill(0.6), [1.3, 1.7, 6.2, 6.9])).toEqual([
      ...[none, none],
      ...[some, some, some, some],
      ...[none, none],
    ]);
  });
});

/** Bilinear with zeros around the mask, at every pixel of the image, inside the box or not. */
function literalPaste(mask: Float32Array, size: number, box: Float32Array, height: number, width: number) {
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= size || y >= size ? 0 : mask[y * size + x]);
  const pixels = new Uint8Array(height * width);
  for (let px = 0; px < width; px++)
    for (let py = 0; py < height; py++) {
      const x = ((px + 0.5 - box[0]) / (box[2] - box[0])) * size - 0.5;
      const y = ((py + 0.5 - box[1]) / (box[3] - box[1])) * size - 0.5;
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      const [dx, dy] = [x - x0, y - y0];
      const value =
        (1 - dy) * ((1 - dx) * at(x0, y0) + dx * at(x0 + 1, y0)) +
        dy * ((1 - dx) * at(x0, y0 + 1) + dx * at(x0 + 1, y0 + 1));
      if (value >= 0.5) pixels[px * height + py] = 1;
    }
  return pixels;
}

it('equals the definition at every pixel, boxes outside of the image included', () => {
  const stream = new RandomStream(1, 'paste');
  let ones = 0;
  for (let round = 0; round < 200; round++) {
    const [height, width, size] = [stream.integer(1, 40), stream.integer(1, 40), stream.integer(1, 9)];
    const mask = Float32Array.from({ length: size * size }, () => stream.uniform());
    const [x, y] = [stream.between(-15, 40), stream.between(-15, 40)];
    const box = Float32Array.of(x, y, x + stream.between(0.01, 50), y + stream.between(0.01, 50));
    const expected = literalPaste(mask, size, box, height, width);
    const pasted = pasteMask(mask, box, { height, width });
    expect(pasted).toEqual(encode(expected, height, width));
    ones += area(pasted);
  }
  expect(ones).toBeGreaterThan(1000);
});
