/** Convolution with each kind of norm: what is declared, what comes out, where gradients go. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initializeModule, moduleState } from '../../src/checkpoint/module-state.js';
import { RandomStream } from '../../src/core/rng.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { ConvNorm } from '../../src/nn/conv-norm.js';
import { caffe2XavierFill, type Initializer, kaimingNormalFanOut, normal } from '../../src/nn/init.js';
import { ModuleStore } from '../../src/nn/module-store.js';
import type { NormKind } from '../../src/nn/norm.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { scaleFilter } from '../../src/ops/frozen-norm.js';
import { tf } from '../../src/ops/tf.js';
import { expectClose, randomArray } from '../helpers/arrays.js';
import { checkGradients, evaluate, openRuntime, operand } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const SHAPE = { inputs: 3, outputs: 4, kernel: 3 };
let count = 0;

function declare(norm: NormKind, { frozen = false } = {}) {
  const store = new ModuleStore(runtime, `module_${count++}`);
  const layer = new ConvNorm(frozen ? store.frozen() : store, ['conv', 'conv.norm'], { ...SHAPE, norm });
  return { store, layer };
}

const FROZEN_KEYS = [
  'conv.weight',
  ...['weight', 'bias', 'running_mean', 'running_var'].map((leaf) => `conv.norm.${leaf}`),
];

describe('what is declared', () => {
  it.each([
    ['none', ['conv.weight', 'conv.bias'], 2],
    ['frozen', FROZEN_KEYS, 1],
    ['batch', [...FROZEN_KEYS, 'conv.norm.num_batches_tracked'], 3],
  ] as const)('%s', (kind, keys, trained) => {
    const { store } = declare(kind);
    expect([...moduleState(store, 7).keys()]).toEqual(keys);
    expect(store.parameters()).toHaveLength(trained);
  });

  it('is the same in a frozen module, but nothing is trained and batch norm is frozen', () => {
    expect([...moduleState(declare('none', { frozen: true }).store, 7).keys()]).toEqual([
      'conv.weight',
      'conv.bias',
    ]);
    const { store } = declare('batch', { frozen: true });
    expect([...moduleState(store, 7).keys()]).toEqual(FROZEN_KEYS);
    expect(store.parameters()).toEqual([]);
  });
});

describe('forward', () => {
  const x = operand([2, 5, 5, 3], 'x');
  const filter = operand([3, 3, 3, 4], 'filter');

  /** Fills the variables with random values. */
  async function fill(store: ModuleStore): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const { key, variable } of store.entries) {
      const data = key === 'conv.weight' ? filter.data : randomArray(variable.size, key).map((v) => 1.5 + v);
      values.set(key, data);
      await runtime.write(variable, data);
    }
    return values;
  }

  const plain = async () => (await evaluate(runtime, [x, filter], (x, w) => ({ y: conv2d(x, w, 1, 1) }))).y;

  it('adds the bias where there is no norm', async () => {
    const { store, layer } = declare('none');
    const bias = (await fill(store)).get('conv.bias') as Float32Array;
    const { y } = await evaluate(runtime, [x], (x) => ({ y: layer.forward(x, 'training') }));
    expectClose(
      y,
      (await plain()).map((value, i) => value + bias[i % 4]),
      { absolute: 1e-5 },
    );
  });

  it('applies the statistics of a frozen norm, also in training', async () => {
    const { store, layer } = declare('frozen');
    const values = await fill(store);
    const [weight, bias, mean, variance] = FROZEN_KEYS.slice(1).map((key) => values.get(key) as Float32Array);
    const { y } = await evaluate(runtime, [x], (x) => ({ y: layer.forward(x, 'training') }));
    const expected = (await plain()).map((value, i) => {
      const c = i % 4;
      return ((value - mean[c]) / Math.sqrt(variance[c] + 1e-5)) * weight[c] + bias[c];
    });
    expectClose(y, expected, { absolute: 1e-5 });
    expect(await runtime.read(store.entries[3].variable)).toEqual(mean);
  });

  it('changes nothing with a frozen norm as it is declared', async () => {
    const { store, layer } = declare('frozen');
    await initializeModule(store, 0);
    await runtime.write(store.entries[0].variable, filter.data);
    const { y } = await evaluate(runtime, [x], (x) => ({ y: layer.forward(x, 'training') }));
    expectClose(y, await plain(), { absolute: 1e-6 });
  });

  it('gives gradients to input and filter through a frozen norm', async () => {
    const { store, layer } = declare('frozen');
    await fill(store);
    await checkGradients(runtime, [x], (x) => layer.forward(x, 'training'));
    const scale = [0.5, -2, 3, 1];
    await checkGradients(runtime, [filter], (w) => scaleFilter(w, tf.tensor1d(scale)));
  });
});

describe('initial values', () => {
  const draw = (initialize: Initializer) => {
    const data = new Float32Array(20_000);
    initialize(data, new RandomStream(0, 'init'));
    return data;
  };
  const deviation = (data: Float32Array) => Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);

  it.each([
    // The stem and a 1x1 convolution of 64 channels : sqrt(2 / (49 * 64)), sqrt(2 / 64).
    ['He-normal', kaimingNormalFanOut(64, 7), 0.0253],
    ['He-normal', kaimingNormalFanOut(64, 1), 0.1768],
    ['Xavier fill', caffe2XavierFill(256), 1 / 16],
    ['normal', normal(0.01), 0.01],
  ] as const)('%s', (_, initialize, expected) => {
    expect(deviation(draw(initialize)) / expected).toBeCloseTo(1, 1);
  });

  it('keeps Xavier fill within sqrt(3 / fan_in)', () => {
    const bound = Math.sqrt(3 / 256);
    const most = Math.max(...draw(caffe2XavierFill(256)).map(Math.abs));
    expect(most).toBeLessThanOrEqual(bound);
    expect(most).toBeGreaterThan(0.99 * bound);
  });
});
