/** Operations of detectors against slow literal versions, and their gradients against central differences. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import { checkFinite, notFinite } from '../../src/ops/check-finite.js';
import { concat } from '../../src/ops/concat.js';
import { convTranspose2x2 } from '../../src/ops/conv-transpose.js';
import { gather } from '../../src/ops/gather.js';
import { reshape } from '../../src/ops/reshape.js';
import { sigmoidCrossEntropy } from '../../src/ops/sigmoid-cross-entropy.js';
import { smoothL1 } from '../../src/ops/smooth-l1.js';
import { tf } from '../../src/ops/tf.js';
import { takeAlong, topK } from '../../src/ops/top-k.js';
import { upsampleAdd } from '../../src/ops/upsample-add.js';
import { expectClose } from '../helpers/arrays.js';
import { at, checkGradients, evaluate, type Operand, openRuntime, operand } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

/** Values at all positions of a map, row-major. */
function everywhere(
  shape: readonly number[],
  value: (n: number, y: number, x: number, c: number) => number,
): number[] {
  const out: number[] = [];
  const [n, h, w, channels] = shape;
  for (let i = 0; i < n; i++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) for (let c = 0; c < channels; c++) out.push(value(i, y, x, c));
  return out;
}

describe('upsampleAdd', () => {
  const lateral = operand([2, 6, 8, 3], 'lateral');
  const top = operand([2, 3, 4, 3], 'top');

  it('adds each cell of the top to four of the lateral map', async () => {
    const { y } = await evaluate(runtime, [lateral, top], (lateral, top) => ({
      y: upsampleAdd(lateral, top),
    }));
    const literal = everywhere(
      lateral.shape,
      (n, y, x, c) => at(lateral, n, y, x, c) + at(top, n, y >> 1, x >> 1, c),
    );
    expectClose(y, literal);
    await checkGradients(runtime, [lateral, top], upsampleAdd);
  });

  it('wants a map of twice the sides', async () => {
    const odd = evaluate(runtime, [operand([2, 5, 8, 3], 'odd'), top], (a, b) => ({ y: upsampleAdd(a, b) }));
    await expect(odd).rejects.toThrow(
      /the lateral map of upsampleAdd must have shape \[2, 6, 8, 3\], but has \[2, 5, 8, 3\]/,
    );
  });
});

it('convTranspose2x2 makes 2 x 2 cells of each', async () => {
  const x = operand([2, 3, 4, 5], 'x');
  const filter = operand([2, 2, 6, 5], 'filter');
  const { y } = await evaluate(runtime, [x, filter], (x, filter) => ({ y: convTranspose2x2(x, filter) }));
  const literal = everywhere([2, 6, 8, 6], (n, row, column, o) => {
    let sum = 0;
    for (let c = 0; c < 5; c++) {
      sum += at(x, n, row >> 1, column >> 1, c) * at(filter, row % 2, column % 2, o, c);
    }
    return sum;
  });
  expectClose(y, literal);
  await checkGradients(runtime, [x, filter], convTranspose2x2);
});

it('gather takes rows in any order and more than once', async () => {
  const x = operand([5, 3], 'x');
  const indices = [4, 0, 0, 3];
  const picked = () => tf.tensor1d(indices, 'int32');
  const { y } = await evaluate(runtime, [x], (x) => ({ y: gather(x, picked()) }));
  expect([...y]).toEqual(indices.flatMap((row) => [...x.data.slice(3 * row, 3 * row + 3)]));
  await checkGradients(runtime, [x], (x) => gather(x, picked()));
});

it('reshape and concat keep the elements', async () => {
  const operands = [operand([2, 3, 2], 'x'), operand([2, 2, 2], 'y')];
  const [x, y] = operands;
  const result = await evaluate(runtime, operands, (x, y) => ({ joined: concat([x, y], 1) }));
  const literal = [0, 1].flatMap((n) => [
    ...x.data.slice(6 * n, 6 * n + 6),
    ...y.data.slice(4 * n, 4 * n + 4),
  ]);
  expect([...result.joined]).toEqual(literal);
  await checkGradients(runtime, operands, (x, y) => reshape(concat([x, y], 1), [4, 5]));
});

describe('sigmoidCrossEntropy', () => {
  it('sums -t log p - (1 - t) log(1 - p)', async () => {
    const logits: Operand = { shape: [6], data: operand([6], 'logits').data.map((x) => 4 * x) };
    const targets = [0, 1, 0.25, 1, 0, 0.75];
    const literal = targets.reduce((sum, t, i) => {
      const p = 1 / (1 + Math.exp(-logits.data[i]));
      return sum - t * Math.log(p) - (1 - t) * Math.log(1 - p);
    }, 0);
    const { y } = await evaluate(runtime, [logits], (x) => ({
      y: sigmoidCrossEntropy(x, tf.tensor1d(targets)),
    }));
    expectClose(y, [literal]);
    await checkGradients(runtime, [logits], (x) => sigmoidCrossEntropy(x, tf.tensor1d(targets)));
  });

  it('is finite, and exact, far out', async () => {
    const logits: Operand = { shape: [4], data: Float32Array.of(1000, -1000, 1000, -1000) };
    const { y, gradient } = await evaluate(runtime, [logits], (x) => {
      const targets = tf.tensor1d([1, 0, 0, 1]);
      const { value, grads } = tf.valueAndGrads((x) => sigmoidCrossEntropy(x, targets) as never)([x]);
      return { y: value, gradient: grads[0] };
    });
    expect([...y]).toEqual([2000]);
    expect([...gradient]).toEqual([0, 0, 1, -1]);
  });
});

describe('smoothL1', () => {
  const x: Operand = { shape: [6], data: Float32Array.of(0.5, -2, 0.05, -0.04, 3, 1) };
  const target = [0.2, 1, 0, 0, 3.09, -1];

  it.each([0, 0.1, 1])('beta %d', async (beta) => {
    const literal = target.reduce((sum, t, i) => {
      const distance = Math.abs(x.data[i] - t);
      return sum + (distance < beta ? distance ** 2 / (2 * beta) : distance - beta / 2);
    }, 0);
    const { y } = await evaluate(runtime, [x], (x) => ({ y: smoothL1(x, tf.tensor1d(target), beta) }));
    expectClose(y, [literal]);
    await checkGradients(runtime, [x], (x) => smoothL1(x, tf.tensor1d(target), beta), { step: 1e-3 });
  });

  it('has slope 0 where there is nothing to mend, also without beta', async () => {
    for (const beta of [0, 1]) {
      const { gradient } = await evaluate(runtime, [x], (x) => {
        const { grads } = tf.valueAndGrads((x) => smoothL1(x, tf.tensor1d(target), beta) as never)([
          tf.add(tf.mul(x, 0), tf.tensor1d(target)),
        ]);
        return { gradient: grads[0] };
      });
      expect([...gradient]).toEqual([0, 0, 0, 0, 0, 0]);
    }
  });
});

describe('topK', () => {
  const rows = [
    [1, 5, 5, -2],
    [0, -1, 3, 3],
  ];

  it.each([2, 4, 9])('takes the largest %d of each row, or all; of equals the first', async (k) => {
    const x: Operand = { shape: [2, 4], data: Float32Array.from(rows.flat()) };
    const { values, indices } = await evaluate(runtime, [x], (x) => topK(x, k));
    const order = rows.map((row) => [0, 1, 2, 3].sort((a, b) => row[b] - row[a] || a - b).slice(0, k));
    expect([...indices]).toEqual(order.flat());
    expect([...values]).toEqual(order.flatMap((places, row) => places.map((place) => rows[row][place])));
  });

  it('gives places that takeAlong takes from other tensors', async () => {
    const [x, y] = [operand([2, 4], 'x'), operand([2, 4, 3], 'y')];
    const { taken, indices } = await evaluate(runtime, [x, y], (x, y) => {
      const { indices } = topK(x, 2);
      return { taken: takeAlong(y, indices), indices };
    });
    const literal = Array.from(indices, (place, i) => [0, 1, 2].map((c) => at(y, i >> 1, place, c)));
    expect([...taken]).toEqual(literal.flat());
  });
});

describe('checkFinite', () => {
  it('lets finite values and their gradients through', async () => {
    const x = operand([3], 'x');
    const { y } = await evaluate(runtime, [x], (x) => ({ y: checkFinite('x', x) }));
    expect(y).toEqual(x.data);
    await checkGradients(runtime, [x], (x) => checkFinite('x', tf.mul(x, 2)));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'fails for %d, names the term, and writes nothing',
    async (bad) => {
      const before = runtime.variable(`before_${bad}`, []);
      const after = runtime.variable(`after_${bad}`, []);
      await runtime.clear([before, after]);
      const step = runtime.compile('check', { x: { type: 'float32', shape: [2] } }, ({ x }) => {
        before.assign(tf.scalar(1));
        const y = checkFinite('loss_cls', x);
        after.assign(tf.scalar(1));
        return { y };
      });
      const failure = await step.run({ x: Float32Array.of(1, bad) }).catch((error: unknown) => error);
      expect(notFinite(failure)).toBe('loss_cls');
      expect(await runtime.readAll([before, after])).toEqual([Float32Array.of(0), Float32Array.of(0)]);
      await step.run({ x: Float32Array.of(1, 2) });
      expect(await runtime.readAll([before, after])).toEqual([Float32Array.of(1), Float32Array.of(1)]);
    },
  );

  it('knows its own failures only', () => {
    expect(notFinite(new Error('step check: something else'))).toBeUndefined();
    expect(notFinite('not finite: x : Tensor had NaN')).toBeUndefined();
  });
});
