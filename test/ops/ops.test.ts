/** Every operation against a slow literal version, and every gradient against central differences. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import { globalAveragePool } from '../../src/ops/average-pool.js';
import { batchNormInference, batchNormTraining } from '../../src/ops/batch-norm.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { crossEntropy } from '../../src/ops/cross-entropy.js';
import { linear } from '../../src/ops/linear.js';
import { maxPool } from '../../src/ops/max-pool.js';
import { l2Normalize } from '../../src/ops/normalize.js';
import { relu } from '../../src/ops/relu.js';
import { roiAlign } from '../../src/ops/roi-align.js';
import { tf } from '../../src/ops/tf.js';
import { weightedBatchNorm } from '../../src/ops/weighted-batch-norm.js';
import { expectClose } from '../helpers/arrays.js';
import { at, checkGradients, evaluate, type Operand, openRuntime, operand } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

describe('conv2d', () => {
  function literal(x: Operand, w: Operand, stride: number, padding: number): number[] {
    const [n, h, width, inputs] = x.shape;
    const [kh, kw, , outputs] = w.shape;
    const side = (size: number, k: number) => Math.floor((size + 2 * padding - k) / stride) + 1;
    const out: number[] = [];
    for (let b = 0; b < n; b++)
      for (let i = 0; i < side(h, kh); i++)
        for (let j = 0; j < side(width, kw); j++)
          for (let o = 0; o < outputs; o++) {
            let sum = 0;
            for (let di = 0; di < kh; di++)
              for (let dj = 0; dj < kw; dj++) {
                const row = i * stride + di - padding;
                const column = j * stride + dj - padding;
                if (row < 0 || row >= h || column < 0 || column >= width) continue;
                for (let c = 0; c < inputs; c++) sum += at(x, b, row, column, c) * at(w, di, dj, c, o);
              }
            out.push(sum);
          }
    return out;
  }

  const cases = [
    { side: 6, kernel: 3, stride: 1, padding: 1 },
    { side: 6, kernel: 3, stride: 2, padding: 1 },
    { side: 7, kernel: 3, stride: 2, padding: 1 },
    { side: 8, kernel: 7, stride: 2, padding: 3 },
    { side: 5, kernel: 1, stride: 1, padding: 0 },
    { side: 6, kernel: 1, stride: 2, padding: 0 },
  ];
  it.each(cases)('$kernel x $kernel, stride $stride, padding $padding, on $side px', async (shape) => {
    const { side, kernel, stride, padding } = shape;
    const x = operand([2, side, side, 3], 'x');
    const w = operand([kernel, kernel, 3, 4], 'w');
    const { y } = await evaluate(runtime, [x, w], (x, w) => ({ y: conv2d(x, w, stride, padding) }));
    expectClose(y, literal(x, w, stride, padding), { absolute: 1e-5 });
    await checkGradients(runtime, [x, w], (x, w) => conv2d(x, w, stride, padding));
  });

  it('names the layer and both shapes when the channels do not fit', async () => {
    const compiled = evaluate(runtime, [operand([1, 4, 4, 3], 'x'), operand([3, 3, 5, 2], 'w')], (x, w) => ({
      y: conv2d(x, w, 1, 1),
    }));
    await expect(compiled).rejects.toThrow(
      /test_\d+: the input of conv2d must have shape \[N, H, W, 5\], but has \[1, 4, 4, 3\]/,
    );
  });
});

describe('batchNorm', () => {
  const x = operand([3, 4, 4, 5], 'x');
  const scale = operand([5], 'scale');
  const offset = operand([5], 'offset');
  const mean = operand([5], 'mean');
  const variance: Operand = { shape: [5], data: operand([5], 'variance').data.map((v) => 1 + v * v) };

  /** Rows that count, per channel: batch mean, biased variance, and how many. */
  function statistics(rows: number[], channel: number, channels: number) {
    const values = rows.map((row) => x.data[row * channels + channel]);
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    return {
      average,
      biased: values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length,
      count: values.length,
    };
  }

  function literal(rows: number[], channels: number) {
    const output = Array.from(x.data, (value, i) => {
      const c = i % channels;
      const { average, biased } = statistics(rows, c, channels);
      return ((value - average) / Math.sqrt(biased + 1e-5)) * scale.data[c] + offset.data[c];
    });
    const all = Array.from({ length: channels }, (_, c) => statistics(rows, c, channels));
    return {
      output,
      runningMean: all.map(({ average }, c) => 0.9 * mean.data[c] + 0.1 * average),
      runningVariance: all.map(
        ({ biased, count }, c) => 0.9 * variance.data[c] + (0.1 * biased * count) / (count - 1),
      ),
    };
  }

  it('normalises with batch statistics and updates the running ones with the unbiased variance', async () => {
    const expected = literal([...Array(48).keys()], 5);
    const result = await evaluate(
      runtime,
      [x, scale, offset, mean, variance],
      (x, scale, offset, mean, variance) => {
        const { y, running } = batchNormTraining(x, scale, offset, { mean, variance });
        return { y, mean: running.mean, variance: running.variance };
      },
    );
    expectClose(result.y, expected.output, { absolute: 1e-5 });
    expectClose(result.mean, expected.runningMean);
    expectClose(result.variance, expected.runningVariance);
    await checkGradients(
      runtime,
      [x, scale, offset],
      (x, scale, offset) =>
        batchNormTraining(x, scale, offset, { mean: tf.zeros([5]), variance: tf.ones([5]) }).y,
    );
  });

  it('normalises with running statistics', async () => {
    const { y } = await evaluate(runtime, [x, scale, offset, mean, variance], (x, s, o, mean, variance) => ({
      y: batchNormInference(x, s, o, { mean, variance }),
    }));
    const expected = Array.from(x.data, (value, i) => {
      const c = i % 5;
      return ((value - mean.data[c]) / Math.sqrt(variance.data[c] + 1e-5)) * scale.data[c] + offset.data[c];
    });
    expectClose(y, expected, { absolute: 1e-5 });
    await checkGradients(runtime, [x, scale, offset], (x, scale, offset) =>
      batchNormInference(x, scale, offset, {
        mean: tf.tensor1d(mean.data),
        variance: tf.tensor1d(variance.data),
      }),
    );
  });

  it('does not let padding rows touch statistics or gradients', async () => {
    const rows: Operand = { shape: [48, 5], data: x.data };
    const counted = [...Array(48).keys()].filter((row) => row % 3 !== 1);
    const weights = Float32Array.from({ length: 48 }, (_, row) => (row % 3 !== 1 ? 1 : 0));
    const expected = literal(counted, 5);
    const forward = (x: Parameters<typeof weightedBatchNorm>[0], s: typeof x, o: typeof x) =>
      weightedBatchNorm(x, tf.tensor2d(weights, [48, 1]), s, o, {
        mean: tf.tensor1d(mean.data),
        variance: tf.tensor1d(variance.data),
      });
    const result = await evaluate(runtime, [rows, scale, offset], (x, s, o) => {
      const { y, running } = forward(x, s, o);
      return { y, mean: running.mean, variance: running.variance };
    });
    for (const row of counted) {
      expectClose(result.y.subarray(row * 5, row * 5 + 5), expected.output.slice(row * 5, row * 5 + 5), {
        absolute: 1e-5,
      });
    }
    expectClose(result.mean, expected.runningMean);
    expectClose(result.variance, expected.runningVariance);
    // The loss of a step gives padding rows weight 0; so does this check.
    await checkGradients(
      runtime,
      [rows, scale, offset],
      (x, s, o) => tf.mul(forward(x, s, o).y, tf.tensor2d(weights, [48, 1])),
      { points: 24 },
    );
  });
});

it('relu: values and gradient', async () => {
  const x: Operand = { shape: [2, 3], data: Float32Array.from([-2, -0.5, 0.5, 1, -1, 3]) };
  const { y } = await evaluate(runtime, [x], (x) => ({ y: relu(x) }));
  expect(Array.from(y)).toEqual([0, 0, 0.5, 1, 0, 3]);
  await checkGradients(runtime, [x], relu);
});

describe('maxPool', () => {
  it.each([6, 7])('3 x 3, stride 2, padding 1, on %i px: padding never wins', async (side) => {
    const x = operand([2, side, side, 3], 'pool');
    for (let i = 0; i < x.data.length; i++) x.data[i] -= 2;
    const out = Math.floor((side + 2 - 3) / 2) + 1;
    const expected: number[] = [];
    for (let b = 0; b < 2; b++)
      for (let i = 0; i < out; i++)
        for (let j = 0; j < out; j++)
          for (let c = 0; c < 3; c++) {
            let best = Number.NEGATIVE_INFINITY;
            for (let row = 2 * i - 1; row <= 2 * i + 1; row++)
              for (let column = 2 * j - 1; column <= 2 * j + 1; column++)
                if (row >= 0 && column >= 0 && row < side && column < side)
                  best = Math.max(best, at(x, b, row, column, c));
            expected.push(best);
          }
    const { y } = await evaluate(runtime, [x], (x) => ({ y: maxPool(x, 3, 2, 1) }));
    expectClose(y, expected);
    await checkGradients(runtime, [x], (x) => maxPool(x, 3, 2, 1), { step: 1e-3, tolerance: 2e-2 });
  });
});

it('globalAveragePool: values and gradient', async () => {
  const x = operand([2, 3, 3, 4], 'average');
  const { y } = await evaluate(runtime, [x], (x) => ({ y: globalAveragePool(x) }));
  const expected = Array.from({ length: 8 }, (_, i) => {
    let sum = 0;
    for (let p = 0; p < 9; p++) sum += x.data[(Math.floor(i / 4) * 9 + p) * 4 + (i % 4)];
    return sum / 9;
  });
  expectClose(y, expected);
  await checkGradients(runtime, [x], globalAveragePool);
});

it('linear: values and gradient', async () => {
  const [x, w, b] = [operand([3, 4], 'x'), operand([5, 4], 'w'), operand([5], 'b')];
  const { y } = await evaluate(runtime, [x, w, b], (x, w, b) => ({ y: linear(x, w, b) }));
  const expected = Array.from({ length: 15 }, (_, i) => {
    const [row, column] = [Math.floor(i / 5), i % 5];
    return [0, 1, 2, 3].reduce((sum, k) => sum + at(x, row, k) * at(w, column, k), b.data[column]);
  });
  expectClose(y, expected);
  await checkGradients(runtime, [x, w, b], linear);
});

it('l2Normalize: values, gradient, and a row of zeros', async () => {
  const x = operand([4, 6], 'norm');
  x.data.fill(0, 18, 24);
  const { y } = await evaluate(runtime, [x], (x) => ({ y: l2Normalize(x) }));
  const norm = (row: number) => Math.hypot(...x.data.subarray(row * 6, row * 6 + 6));
  expectClose(
    y,
    Array.from(x.data, (v, i) => (i < 18 ? v / norm(Math.floor(i / 6)) : 0)),
  );
  await checkGradients(runtime, [operand([3, 6], 'norm')], l2Normalize);
});

it('crossEntropy: values and gradient', async () => {
  const x = operand([3, 4], 'logits');
  const labels = [2, 0, 3];
  const loss = (logits: Parameters<typeof relu>[0]) => crossEntropy(logits, tf.tensor1d(labels, 'int32'));
  const { y } = await evaluate(runtime, [x], (x) => ({ y: loss(x) }));
  const expected = labels.reduce((sum, label, row) => {
    const logits = Array.from(x.data.subarray(row * 4, row * 4 + 4));
    const total = logits.reduce((a, b) => a + Math.exp(b), 0);
    return sum - Math.log(Math.exp(logits[label]) / total) / 3;
  }, 0);
  expectClose(y, [expected]);
  await checkGradients(runtime, [x], loss);
});

it('roiAlign: weights times features, and their gradient', async () => {
  const [features, weights] = [operand([2, 3, 3, 4], 'map'), operand([2, 5, 9], 'weights')];
  const constant = () => tf.tensor3d(weights.data, [2, 5, 9]);
  const { y } = await evaluate(runtime, [features], (f) => ({ y: roiAlign(f, constant()) }));
  const expected = Array.from({ length: 40 }, (_, i) => {
    const [b, k, c] = [Math.floor(i / 20), Math.floor(i / 4) % 5, i % 4];
    let sum = 0;
    for (let p = 0; p < 9; p++) sum += at(weights, b, k, p) * features.data[(b * 9 + p) * 4 + c];
    return sum;
  });
  expectClose(y, expected);
  await checkGradients(runtime, [features], (f) => roiAlign(f, constant()));
});
