/** Batch norm with sums in the open against the fused operation, and where the fused one is less exact. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import { batchNormTraining } from '../../src/ops/batch-norm.js';
import { syncBatchNorm } from '../../src/ops/sync-batch-norm.js';
import { type Tensor, tf } from '../../src/ops/tf.js';
import { expectClose } from '../helpers/arrays.js';
import { checkGradients, evaluate, type Operand, openRuntime, operand } from '../helpers/engine.js';
import { expectSameWhenOpen, measure } from '../helpers/open.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const C = 5;
const operands = [operand([3, 4, 6, C], 'x'), operand([C], 'scale'), operand([C], 'offset')];
const running = () => ({ mean: tf.fill([C], 0.3), variance: tf.fill([C], 2) });
const forward = (x: Tensor, scale: Tensor, offset: Tensor) => syncBatchNorm(x, scale, offset, running()).y;

describe('syncBatchNorm', () => {
  it('is the fused batch norm, running statistics included', async () => {
    const run = (norm: typeof batchNormTraining) =>
      evaluate(runtime, operands, (x, scale, offset) => {
        const { y, running: updated } = norm(x, scale, offset, running());
        return { y, mean: updated.mean, variance: updated.variance };
      });
    const [ours, fused] = [await run(syncBatchNorm), await run(batchNormTraining)];
    expectClose(ours.y, fused.y, { absolute: 1e-5 });
    expectClose(ours.mean, fused.mean);
    expectClose(ours.variance, fused.variance);
  });

  it('has the gradients of differences', async () => {
    await checkGradients(runtime, operands, forward);
  });

  it('is the same when sides are open', async () => {
    const shapes = [[-1, -1, -1, C], [C], [C]];
    await expectSameWhenOpen(runtime, operands, shapes, [-1, -1, -1, C], forward, 1e-6);
  });

  it('leaves the running statistics alone when there is nothing, and gives gradients of 0', async () => {
    const nothing: Operand = { shape: [0, 4, 4, C], data: new Float32Array(0) };
    const shapes = [[-1, 4, 4, C], [C], [C]];
    const { gradients } = await measure(runtime, [nothing, ...operands.slice(1)], shapes, forward, 0);
    expect(gradients.map((gradient) => [...gradient])).toEqual([[], Array(C).fill(0), Array(C).fill(0)]);
    const x = { type: 'float32', shape: [-1, 4, 4, C] } as const;
    const step = runtime.compile('sync_nothing', { x }, ({ x }) => {
      const { mean, variance } = syncBatchNorm(x, tf.ones([C]), tf.zeros([C]), running()).running;
      return { mean, variance };
    });
    const kept = await step.run({ x: nothing });
    expectClose(kept.mean as Float32Array, Array(C).fill(0.3));
    expectClose(kept.variance as Float32Array, Array(C).fill(2));
  });

  it('adds the sums of replicas', async () => {
    const half: Operand = { shape: [3, 4, 6, C], data: operands[0].data };
    // Two replicas with the same images have the statistics of one, but for the unbiased variance: 144 cells, not 72.
    const { y, variance } = await evaluate(runtime, [half], (x) => {
      const ones = [tf.ones([C]), tf.zeros([C]), { mean: tf.zeros([C]), variance: tf.zeros([C]) }] as const;
      const { y, running } = syncBatchNorm(x, ...ones, { sum: (partial) => tf.mul(partial, 2) });
      return { y, variance: running.variance };
    });
    const alone = await evaluate(runtime, [half], (x) => {
      const ones = [tf.ones([C]), tf.zeros([C]), { mean: tf.zeros([C]), variance: tf.zeros([C]) }] as const;
      const { y, running } = syncBatchNorm(x, ...ones);
      return { y, variance: running.variance };
    });
    expectClose(y, alone.y);
    expectClose(
      variance,
      alone.variance.map((value) => (value * (144 / 143)) / (72 / 71)),
    );
  });

  it('sums many cells with little noise', async () => {
    // A mean of 3 and a variance of 1 / 3, over 40,000 cells.
    const many = operand([1, 200, 200, 1], 'many');
    many.data = many.data.map((value) => 3 + value);
    const mean = many.data.reduce((sum, value) => sum + value / 40_000, 0);
    const found = await evaluate(runtime, [many], (x) => {
      const zero = { mean: tf.zeros([1]), variance: tf.zeros([1]) };
      return { mean: syncBatchNorm(x, tf.ones([1]), tf.zeros([1]), zero).running.mean };
    });
    expect(Math.abs(found.mean[0] / 0.1 / mean - 1)).toBeLessThan(2e-7);
  });
});
