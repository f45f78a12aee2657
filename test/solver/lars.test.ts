/** LARS in the graph against the literal one of the tests, which is checked against the golden values. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import { Lars, type LarsOptions } from '../../src/solver/lars.js';
import type { UpdateRule } from '../../src/solver/solver.js';
import { expectClose } from '../helpers/arrays.js';
import { openRuntime } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

let count = 0;

/** Parameter (3, 4); gradients (0.6, 0.8), then (1, 0). */
async function twoSteps(options: LarsOptions, rule: UpdateRule, rate: number): Promise<Float32Array[]> {
  const parameter = runtime.variable(`p${count++}`, [2]);
  const solver = new Lars(runtime, [{ variable: parameter, rule }], options);
  await runtime.write(parameter, Float32Array.of(3, 4));
  await runtime.write(solver.buffers[0], new Float32Array(2));
  const input = { g: { type: 'float32', shape: [2] }, rate: { type: 'float32', shape: [] } } as const;
  const step = runtime.compile(`lars${count}`, input, ({ g, rate }) => {
    solver.update([g], rate);
    return { rate };
  });
  const values: Float32Array[] = [];
  for (const g of [Float32Array.of(0.6, 0.8), Float32Array.of(1, 0)]) {
    await step.run({ g, rate: Float32Array.of(rate) });
    values.push((await runtime.read(parameter)) as Float32Array);
  }
  return values;
}

const MOMENTUM = { momentum: 0.9, nesterov: false, weightDecay: 1e-6, trust: 0.001 };
const TOLERANCE = { absolute: 1e-6, relative: 2e-6 };

it('adapted', async () => {
  const [first, second] = await twoSteps(MOMENTUM, { decay: true, adapted: true, squaredRate: false }, 14.4);
  expectClose(first, [2.956800000432, 3.942400000576], TOLERANCE);
  expectClose(second, [2.846956941402, 3.89055972133], TOLERANCE);
});

it("excluded, with the reference's squared rate", async () => {
  const [first, second] = await twoSteps(MOMENTUM, { decay: false, adapted: false, squaredRate: true }, 14.4);
  expectClose(first, [-121.416, -161.888], TOLERANCE);
  expectClose(second, [-440.7504, -311.1872], TOLERANCE);
});

it('excluded, plain: no decay, no adaptation', async () => {
  const [first] = await twoSteps(
    { ...MOMENTUM, weightDecay: 0.5 },
    { decay: false, adapted: false, squaredRate: false },
    0.1,
  );
  expectClose(first, [2.94, 3.92], TOLERANCE);
});

it("Nesterov, the linear evaluation's settings", async () => {
  const options = { ...MOMENTUM, nesterov: true, weightDecay: 0 };
  const [first, second] = await twoSteps(options, { decay: true, adapted: true, squaredRate: false }, 3.2);
  expectClose(first, [2.98176, 3.97568], TOLERANCE);
  expectClose(second, [2.94376883256, 3.965312000347], TOLERANCE);
});

it('a gradient of zeros leaves the parameter to its decay, unscaled', async () => {
  const parameter = runtime.variable('zero', [2]);
  const solver = new Lars(
    runtime,
    [{ variable: parameter, rule: { decay: true, adapted: true, squaredRate: false } }],
    {
      ...MOMENTUM,
      weightDecay: 0.1,
    },
  );
  await runtime.write(parameter, Float32Array.of(3, 4));
  await runtime.write(solver.buffers[0], new Float32Array(2));
  const input = { g: { type: 'float32', shape: [2] }, rate: { type: 'float32', shape: [] } } as const;
  const step = runtime.compile('lars_zero', input, ({ g, rate }) => {
    solver.update([g], rate);
    return { rate };
  });
  await step.run({ g: new Float32Array(2), rate: Float32Array.of(1) });
  expectClose((await runtime.read(parameter)) as Float32Array, [2.7, 3.6], TOLERANCE);
  expect(solver.buffers).toHaveLength(1);
});
