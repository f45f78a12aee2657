/** RoIAlign as a sparse matrix: torchvision's values forward and backward, and the dense weights of one map. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import type { CsrMatrix } from '../../src/ops/csr.js';
import { roiAlignWeights } from '../../src/ops/roi-align-weights.js';
import { cellCount, type RoiRowsOptions, roiRows } from '../../src/ops/roi-rows.js';
import { expectClose } from '../helpers/arrays.js';
import { u } from '../helpers/counter-hash.js';
import { readOpVectors } from '../helpers/op-vectors.js';

const EXACTLY = { absolute: 0, relative: 0 };

/** [m, n] row-major */
function dense({ rowPointers, columns, values }: CsrMatrix, n: number): Float32Array {
  const out = new Float32Array((rowPointers.length - 1) * n);
  for (let row = 0; row + 1 < rowPointers.length; row++)
    for (let i = rowPointers[row]; i < rowPointers[row + 1]; i++) out[row * n + columns[i]] += values[i];
  return out;
}

function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: matrix.length }, (_, i) => {
    const [column, row] = [Math.floor(i / rows), i % rows];
    return matrix[row * columns + column];
  });
}

/** The product with one column of numbers. */
function times({ rowPointers, columns, values }: CsrMatrix, column: (row: number) => number): number[] {
  return Array.from({ length: rowPointers.length - 1 }, (_, row) => {
    let sum = 0;
    for (let i = rowPointers[row]; i < rowPointers[row + 1]; i++) sum += values[i] * column(columns[i]);
    return sum;
  });
}

const { roi_align: golden } = readOpVectors();

describe.each(Object.entries(golden.cases))('Detectron2 of %s', (name, expected) => {
  const bins = name.startsWith('14') ? 14 : 7;
  const [images, channels] = golden.shapes[0];
  const maps = golden.shapes.map(([, , height, width], l) => ({ height, width, stride: 4 << l }));
  const options: RoiRowsOptions = {
    maps,
    images,
    bins,
    samplingRatio: name.includes('ratio 2') ? 2 : 0,
    aligned: !name.includes('not'),
  };
  const rois = {
    boxes: Float32Array.from(golden.boxes.flatMap(([, ...box]) => box)),
    images: Int32Array.from(golden.boxes, ([image]) => image),
    levels: Uint8Array.from(golden.level, (level) => level - 2),
  };
  const { matrix, transpose } = roiRows(rois, options);
  const [count, perBox] = [golden.boxes.length, bins * bins];
  const starts = maps.map((_, l) => cellCount(maps.slice(0, l), images));

  /** Channel c of the cell in a row of the concatenated maps. */
  const feature = (row: number, c: number) => {
    const level = starts.findLastIndex((start) => start <= row);
    const area = maps[level].height * maps[level].width;
    const image = Math.floor((row - starts[level]) / area);
    const place = (row - starts[level]) % area;
    return 2 * u((image * channels + c) * area + place, 1100 + level) - 1;
  };
  const pooled = Array.from({ length: channels }, (_, c) => times(matrix, (row) => feature(row, c)));

  it('pools the same values', () => {
    const sums = (value: (v: number) => number) =>
      Array.from({ length: count }, (_, r) =>
        pooled.reduce(
          (sum, channel) => channel.slice(r * perBox, (r + 1) * perBox).reduce((a, v) => a + value(v), sum),
          0,
        ),
      );
    expectClose(
      sums((v) => v),
      expected.sum,
      { absolute: 2e-5 },
    );
    expectClose(sums(Math.abs), expected.abs_sum, { absolute: 2e-5 });
    const channel = expected['channel 1'];
    if (channel !== undefined) expectClose(pooled[1], channel.flat(), { absolute: 1e-6 });
  });

  it('gives the same gradients', () => {
    const gradients = Array.from({ length: channels }, (_, c) =>
      times(transpose, (row) => {
        const [box, bin] = [Math.floor(row / perBox), row % perBox];
        return 2 * u((box * channels + c) * perBox + bin, 1200) - 1;
      }),
    );
    maps.forEach(({ height, width }, level) => {
      const area = height * width;
      const values = Array.from({ length: images * channels * area }, (_, i) => {
        const [image, c] = [Math.floor(i / area / channels), Math.floor(i / area) % channels];
        return gradients[c][starts[level] + image * area + (i % area)];
      });
      const { sum, abs_sum, at } = expected.grad[level];
      const total = (value: (v: number) => number) => values.reduce((a, v) => a + value(v), 0);
      expectClose([total((v) => v), total(Math.abs)], [sum, abs_sum], { absolute: 1e-4 });
      expectClose(
        at.map(([i]) => values[i]),
        at.map(([, value]) => value),
        { absolute: 2e-6 },
      );
      const whole = level === 3 ? expected['grad p5'] : undefined;
      if (whole !== undefined) expectClose(values, whole, { absolute: 2e-6 });
    });
  });
});

it('has the bits of the dense weights of each box on its map', () => {
  const maps = [
    { height: 20, width: 28, stride: 4 },
    { height: 10, width: 14, stride: 8 },
    { height: 5, width: 7, stride: 16 },
  ];
  const stream = new RandomStream(1, 'roi rows');
  const count = 120;
  const boxes = new Float32Array(4 * count);
  const images = new Int32Array(count);
  const levels = new Uint8Array(count);
  for (let r = 0; r < count; r++) {
    const [x, y] = [stream.between(-15, 112), stream.between(-15, 80)];
    boxes.set([x, y, x + stream.between(0, 80), y + stream.between(0, 60)], 4 * r);
    images[r] = stream.integer(0, 2);
    levels[r] = stream.integer(0, 3);
  }
  for (const bins of [1, 7]) {
    const product = roiRows({ boxes, images, levels }, { maps, images: 2, bins });
    const [rows, cells] = [count * bins * bins, cellCount(maps, 2)];
    const matrix = dense(product.matrix, cells);
    expect(matrix.some((weight) => weight > 0)).toBe(true);
    expectClose(dense(product.transpose, rows), transposed(matrix, rows, cells), EXACTLY);
    const expected = new Float32Array(matrix.length);
    for (let r = 0; r < count; r++) {
      const { height, width, stride } = maps[levels[r]];
      const weights = roiAlignWeights(boxes.slice(4 * r, 4 * r + 4), {
        height,
        width,
        spatialScale: 1 / stride,
        samplingRatio: 0,
        aligned: true,
        outputSize: bins,
      });
      const first = cellCount(maps.slice(0, levels[r]), 2) + images[r] * height * width;
      for (let bin = 0; bin < bins * bins; bin++) {
        const map = weights.subarray(bin * height * width, (bin + 1) * height * width);
        expected.set(map, (r * bins * bins + bin) * cells + first);
      }
    }
    expectClose(matrix, expected, EXACTLY);
  }
});

it('names a cell once in a row, in ascending order', () => {
  const rois = {
    boxes: Float32Array.of(3.5, 2, 77, 61, 0, 0, 80, 80),
    images: Int32Array.of(0, 0),
    levels: Uint8Array.of(0, 0),
  };
  const maps = [{ height: 20, width: 20, stride: 4 }];
  const { matrix, transpose } = roiRows(rois, { maps, images: 1, bins: 3 });
  for (const { rowPointers, columns } of [matrix, transpose])
    for (let row = 0; row + 1 < rowPointers.length; row++)
      for (let i = rowPointers[row] + 1; i < rowPointers[row + 1]; i++)
        expect(columns[i]).toBeGreaterThan(columns[i - 1]);
});

const ONE_MAP: RoiRowsOptions = { maps: [{ height: 4, width: 5, stride: 8 }], images: 1, bins: 2 };

it('makes no rows of no boxes, and zeros of a box without area', () => {
  const none = { boxes: new Float32Array(0), images: new Int32Array(0), levels: new Uint8Array(0) };
  const empty = roiRows(none, ONE_MAP);
  expect([...empty.matrix.rowPointers]).toEqual([0]);
  expect([...empty.transpose.rowPointers]).toEqual(new Array(21).fill(0));
  const point = { boxes: Float32Array.of(9, 9, 9, 9), images: Int32Array.of(0), levels: Uint8Array.of(0) };
  expect([...roiRows(point, ONE_MAP).matrix.rowPointers]).toEqual([0, 0, 0, 0, 0]);
});

it('says which box does not fit', () => {
  const rows = (box: number[], image: number, level: number) => () =>
    roiRows(
      { boxes: Float32Array.from(box), images: Int32Array.of(image), levels: Uint8Array.of(level) },
      ONE_MAP,
    );
  expect(rows([0, 0, 8], 0, 0)).toThrow('3 numbers of boxes and 1 levels do not fit 1 images');
  expect(rows([0, 0, 8, 8], 1, 0)).toThrow('box 0 is of image 1, but there are 1');
  expect(rows([0, 0, 8, 8], 0, 1)).toThrow('box 0 is of level 1, but there are 1');
  expect(rows([0, 0, Number.NaN, 8], 0, 0)).toThrow('box 0 is not finite');
  expect(rows([9, 0, 8, 8], 0, 0)).toThrow('a box reaches from 9 to 8');
});
