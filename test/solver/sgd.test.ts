/** SGD in the graph against torch's formula in double precision. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import { Sgd } from '../../src/solver/sgd.js';
import { expectClose, randomArray } from '../helpers/arrays.js';
import { openRuntime } from '../helpers/engine.js';
import { type SgdReferenceOptions, type SgdReferenceState, sgdStep } from '../helpers/sgd.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const SIZE = 5;
const RATES = [0.1, 0.1, 0.02, 0.5];
const TOLERANCE = { absolute: 1e-6, relative: 2e-6 };

it('the reference itself: values worked out by hand', () => {
  const options = { momentum: 0.9, nesterov: false, weightDecay: 0.1 };
  const first = sgdStep({ parameter: [2], buffer: undefined }, [1], 0.5, options);
  // 1 + 0.1 * 2 = 1.2; 2 - 0.5 * 1.2 = 1.4. Then 0.9 * 1.2 + (1 + 0.14) = 2.22; 1.4 - 1.11 = 0.29.
  expectClose(first.parameter, [1.4], { absolute: 1e-12 });
  expectClose(sgdStep(first, [1], 0.5, options).parameter, [0.29], { absolute: 1e-12 });
  const nesterov = sgdStep({ parameter: [2], buffer: undefined }, [1], 0.5, { ...options, nesterov: true });
  // 1.2 + 0.9 * 1.2 = 2.28; 2 - 1.14 = 0.86.
  expectClose(nesterov.parameter, [0.86], { absolute: 1e-12 });
});

it.each<[string, SgdReferenceOptions]>([
  ["Detectron2's", { momentum: 0.9, nesterov: false, weightDecay: 1e-4 }],
  ['strong decay', { momentum: 0.9, nesterov: false, weightDecay: 0.3 }],
  ['Nesterov', { momentum: 0.8, nesterov: true, weightDecay: 0.01 }],
  ['no momentum, no decay', { momentum: 0, nesterov: false, weightDecay: 0 }],
])('%s, beside a parameter without decay', async (name, options) => {
  const rules = [true, false].map((decay) => ({ decay, adapted: false, squaredRate: false }));
  const parameters = rules.map((rule) => ({
    variable: runtime.variable(`${name}.${rule.decay}`.replaceAll(/[^\w.]/g, '_'), [SIZE]),
    rule,
  }));
  const solver = new Sgd(runtime, parameters, options);
  const start = parameters.map((_, i) => randomArray(SIZE, `start ${i}`));
  for (const [i, { variable }] of parameters.entries()) await runtime.write(variable, start[i]);
  await runtime.clear(solver.buffers);
  const spec = { type: 'float32', shape: [SIZE] } as const;
  const inputs = { a: spec, b: spec, rate: { type: 'float32', shape: [] } } as const;
  const step = runtime.compile(`sgd_${parameters[0].variable.name}`, inputs, ({ a, b, rate }) => {
    expect(solver.update([a, b], rate)).toHaveLength(2);
    return { rate };
  });

  let states: SgdReferenceState[] = start.map((values) => ({
    parameter: Array.from(values),
    buffer: undefined,
  }));
  for (const [t, rate] of RATES.entries()) {
    const gradients = states.map((_, i) => randomArray(SIZE, `gradient ${t} ${i}`));
    await step.run({ a: gradients[0], b: gradients[1], rate: Float32Array.of(rate) });
    states = states.map((state, i) => {
      const weightDecay = rules[i].decay ? options.weightDecay : 0;
      return sgdStep(state, Array.from(gradients[i]), rate, { ...options, weightDecay });
    });
    for (const [i, { variable }] of parameters.entries()) {
      expectClose((await runtime.read(variable)) as Float32Array, states[i].parameter, TOLERANCE);
      expectClose((await runtime.read(solver.buffers[i])) as Float32Array, states[i].buffer ?? [], TOLERANCE);
    }
  }
});
