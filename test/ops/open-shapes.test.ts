/** Operations whose inputs have open sides: the same bits as with known ones, also for no rows at all. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import { add } from '../../src/ops/add.js';
import { globalAveragePool } from '../../src/ops/average-pool.js';
import { batchNormInference, batchNormTraining } from '../../src/ops/batch-norm.js';
import { biasAdd } from '../../src/ops/bias-add.js';
import { concat } from '../../src/ops/concat.js';
import { convTranspose2x2 } from '../../src/ops/conv-transpose.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { crossEntropy } from '../../src/ops/cross-entropy.js';
import { gather } from '../../src/ops/gather.js';
import { linear } from '../../src/ops/linear.js';
import { maxPool } from '../../src/ops/max-pool.js';
import { relu } from '../../src/ops/relu.js';
import { reshape } from '../../src/ops/reshape.js';
import { sigmoidCrossEntropy } from '../../src/ops/sigmoid-cross-entropy.js';
import { smoothL1 } from '../../src/ops/smooth-l1.js';
import { type Tensor, tf } from '../../src/ops/tf.js';
import { upsampleAdd } from '../../src/ops/upsample-add.js';
import { openRuntime, operand } from '../helpers/engine.js';
import { expectSameWhenOpen, measure } from '../helpers/open.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const MAP = [2, -1, -1, 3];

describe('open height and width', () => {
  it.each([
    { kernel: 3, stride: 1, padding: 1 },
    { kernel: 3, stride: 2, padding: 1 },
    { kernel: 7, stride: 2, padding: 3 },
    { kernel: 1, stride: 2, padding: 0 },
  ])('conv2d, $kernel x $kernel, stride $stride', async ({ kernel, stride, padding }) => {
    const operands = [operand([2, 8, 11, 3], 'x'), operand([kernel, kernel, 3, 4], 'w')];
    const shapes = [MAP, [kernel, kernel, 3, 4]];
    await expectSameWhenOpen(runtime, operands, shapes, [2, -1, -1, 4], (x, w) =>
      conv2d(x, w, stride, padding),
    );
  });

  it.each([
    [3, 2, 1],
    [1, 2, 0],
  ])('maxPool, %d x %d, stride %d', async (size, stride, padding) => {
    const x = operand([2, 8, 11, 3], 'x');
    await expectSameWhenOpen(runtime, [x], [MAP], MAP, (x) => maxPool(x, size, stride, padding));
  });

  it('batch norm in training and inference', async () => {
    const operands = [operand([2, 5, 6, 3], 'x'), operand([3], 'scale'), operand([3], 'offset')];
    const running = () => ({ mean: tf.tensor1d([0.1, 0.2, 0.3]), variance: tf.tensor1d([1, 2, 3]) });
    for (const norm of [
      batchNormInference,
      (...[x, s, o, r]: Parameters<typeof batchNormTraining>) => batchNormTraining(x, s, o, r).y,
    ]) {
      await expectSameWhenOpen(runtime, operands, [MAP, [3], [3]], MAP, (x, scale, offset) =>
        norm(x, scale, offset, running()),
      );
    }
  });

  it('ReLU, addition, bias', async () => {
    const operands = [operand([2, 5, 6, 3], 'x'), operand([2, 5, 6, 3], 'y'), operand([3], 'bias')];
    await expectSameWhenOpen(runtime, operands, [MAP, MAP, [3]], MAP, (x, y, bias) =>
      relu(add(biasAdd(x, bias), y)),
    );
  });

  it('upsampleAdd', async () => {
    const operands = [operand([2, 6, 8, 3], 'lateral'), operand([2, 3, 4, 3], 'top')];
    await expectSameWhenOpen(runtime, operands, [MAP, MAP], MAP, upsampleAdd);
  });

  it('reshape and concat', async () => {
    const operands = [operand([2, 2, 3, 3], 'x'), operand([2, 4, 1, 3], 'y')];
    await expectSameWhenOpen(runtime, operands, [MAP, MAP], [2, -1, 3], (x, y) =>
      concat([reshape(x, [2, -1, 3]), reshape(y, [2, -1, 3])], 1),
    );
  });

  it('is refused where the size is a factor', () => {
    const pool = () =>
      runtime.compile('pool', { x: { type: 'float32', shape: MAP } }, ({ x }) => ({
        y: globalAveragePool(x),
      }));
    expect(pool).toThrow(
      'pool: no side of the input of globalAveragePool may be open, but it has shape [2, -1, -1, 3]',
    );
  });
});

describe('an open number of rows', () => {
  const R = [-1, 4, 4, 3];
  const labels = (n: number) =>
    tf.tensor1d(
      Array.from({ length: n }, (_, i) => i % 5),
      'int32',
    );

  it('linear and crossEntropy', async () => {
    const operands = [operand([6, 3], 'x'), operand([5, 3], 'w'), operand([5], 'b')];
    const loss = (x: Tensor, w: Tensor, b: Tensor) => crossEntropy(linear(x, w, b), labels(6));
    await expectSameWhenOpen(runtime, operands, [[-1, 3], [5, 3], [5]], [], loss, 1e-6);
  });

  it('convTranspose2x2', async () => {
    const operands = [operand([5, 4, 4, 3], 'x'), operand([2, 2, 6, 3], 'w')];
    await expectSameWhenOpen(runtime, operands, [R, [2, 2, 6, 3]], [-1, 8, 8, 6], convTranspose2x2);
  });

  it('gather, sigmoidCrossEntropy, smoothL1', async () => {
    const x = operand([6], 'x');
    const targets = () => tf.tensor1d([0, 1, 0.5]);
    const picked = () => tf.tensor1d([4, 0, 2], 'int32');
    await expectSameWhenOpen(runtime, [x], [[-1]], [], (x) =>
      sigmoidCrossEntropy(gather(x, picked()), targets()),
    );
    await expectSameWhenOpen(runtime, [x], [[-1]], [], (x) => smoothL1(gather(x, picked()), targets(), 0.1));
  });

  it('may be none: values and gradients are empty or 0, and running statistics stay', async () => {
    const none = operand([0, 4, 4, 3], 'x');
    const weights = [operand([3, 3, 3, 3], 'w'), operand([3], 'scale'), operand([3], 'offset')];
    const known = weights.map(({ shape }) => shape);
    const head = [operand([2, 2, 2, 3], 'deconv'), operand([2], 'bias')];
    const { value, gradients } = await measure(
      runtime,
      [none, ...weights, ...head],
      [R, ...known, ...head.map(({ shape }) => shape)],
      (x, w, scale, offset, deconv, bias) => {
        const running = { mean: tf.tensor1d([1, 2, 3]), variance: tf.tensor1d([4, 5, 6]) };
        const { y, running: after } = batchNormTraining(conv2d(x, w, 1, 1), scale, offset, running);
        const logits = biasAdd(convTranspose2x2(relu(y), deconv), bias);
        const loss = sigmoidCrossEntropy(reshape(logits, [-1]), tf.tensor1d([]));
        return tf.concat([tf.reshape(loss, [1]), after.mean, after.variance]);
      },
      7,
    );
    expect(value).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5, 6));
    for (const gradient of gradients) expect(gradient.every((x) => x === 0)).toBe(true);
  });

  it('may be none for a mean', async () => {
    const { value, gradients } = await measure(
      runtime,
      [operand([0, 3], 'x')],
      [[-1, 3]],
      (x) => crossEntropy(x, tf.tensor1d([], 'int32')),
      1,
    );
    expect(value).toEqual(Float32Array.of(0));
    expect(gradients[0]).toHaveLength(0);
  });
});
