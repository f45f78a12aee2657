/** Pyramid and heads against what one computes by hand, and the whole network on images of open size. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initializeModule, variableValue } from '../../../src/checkpoint/module-state.js';
import { hostTensor } from '../../../src/core/array.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import { BoxHead } from '../../../src/models/detection/box-head.js';
import { MaskHead } from '../../../src/models/detection/mask-head.js';
import { Detector } from '../../../src/models/detection/networks.js';
import { Fpn } from '../../../src/models/neck/fpn.js';
import { ModuleStore } from '../../../src/nn/module-store.js';
import { concat } from '../../../src/ops/concat.js';
import { reshape } from '../../../src/ops/reshape.js';
import { type Tensor, tf } from '../../../src/ops/tf.js';
import { expectClose, randomArray } from '../../helpers/arrays.js';
import { evaluate, openRuntime, operand } from '../../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

let store: ModuleStore;
let count = 0;
beforeEach(() => {
  store = new ModuleStore(runtime, `module_${count++}`);
});

/** Fills the module in the layout of state dicts. */
async function fill(value: (key: string, size: number) => Float32Array): Promise<Map<string, Float32Array>> {
  const dict = new Map(store.entries.map(({ key, variable }) => [key, value(key, variable.size)]));
  await runtime.writeAll(
    store.entries.map(({ key, shape, variable, layout }) =>
      variableValue(variable, layout, hostTensor('float32', shape, dict.get(key) as Float32Array)),
    ),
  );
  return dict;
}

describe('the pyramid', () => {
  it('adds each coarser lateral map to the next finer one, and p6 is every other cell of p5', async () => {
    const fpn = new Fpn(store, 'backbone.', { inputs: [1, 1, 1, 1], channels: 1, norm: 'none' });
    // Lateral and output convolutions hand the map on; each lateral bias is 10 to the level.
    await fill((key, size) => {
      if (key.endsWith('bias')) return Float32Array.of(key.includes('lateral') ? 10 ** Number(key[20]) : 0);
      return Float32Array.from({ length: size }, (_, i) => (i === (size - 1) / 2 ? 1 : 0));
    });
    const maps = [8, 4, 2, 1].map((side) => operand([1, 2 * side, 3 * side, 1], `map ${side}`));
    const found = await evaluate(runtime, maps, (res2, res3, res4, res5) => ({
      ...fpn.forward({ res2, res3, res4, res5 }, 'training'),
    }));
    const at = (level: number, y: number, x: number) => maps[level].data[y * maps[level].shape[2] + x];
    const p2 = Array.from({ length: 16 * 24 }, (_, i) => {
      const [y, x] = [Math.floor(i / 24), i % 24];
      return [0, 1, 2, 3].reduce((sum, level) => sum + at(level, y >> level, x >> level), 111_100);
    });
    expectClose(found.p2, p2);
    expectClose(
      found.p5,
      Array.from(maps[3].data, (value) => value + 100_000),
    );
    expectClose(found.p6, [found.p5[0], found.p5[2]], { absolute: 0, relative: 0 });
  });
});

describe('the box head', () => {
  it('flattens a map as PyTorch does, channels slowest', async () => {
    const sizes = { channels: 2, convDim: 2, fcDim: 3 };
    const head = new BoxHead(store, '', { kind: 'fc2', ...sizes, norm: 'none' });
    const dict = await fill((key, size) => randomArray(size, key));
    const regions = operand([4, 7, 7, 2], 'regions');
    const { y } = await evaluate(runtime, [regions], (x) => ({ y: head.forward(x, 'training') }));
    const layer = (name: string, x: number[]) =>
      Array.from(dict.get(`${name}.bias`) as Float32Array, (bias, o) => {
        const weight = dict.get(`${name}.weight`) as Float32Array;
        return Math.max(
          0,
          x.reduce((sum, value, i) => sum + value * weight[o * x.length + i], bias),
        );
      });
    const expected = [0, 1, 2, 3].flatMap((r) => {
      const chw = Array.from(
        { length: 98 },
        (_, i) => regions.data[r * 98 + (i % 49) * 2 + Math.floor(i / 49)],
      );
      return layer('fc2', layer('fc1', chw));
    });
    expectClose(y, expected, { absolute: 1e-5 });
  });

  it('takes regions of open number through convolutions with norms, and none', async () => {
    const sizes = { channels: 4, convDim: 6, fcDim: 8 };
    const head = new BoxHead(store, '', { kind: '4conv1fc', ...sizes, norm: 'sync' });
    await initializeModule(store, 0);
    const regions = { type: 'float32', shape: [-1, 7, 7, 4] } as const;
    const step = runtime.compile(`box_head_${count}`, { regions }, ({ regions }) => ({
      y: head.forward(regions, 'training'),
    }));
    const run = async (rows: number) =>
      (await step.run({ regions: operand([rows, 7, 7, 4], 'regions') })).y as Float32Array;
    expect(await run(5)).toHaveLength(40);
    expect((await run(5)).some((value) => value > 0)).toBe(true);
    expect(await run(0)).toHaveLength(0);
  });
});

describe('the mask head', () => {
  it('doubles the side; without regions it learns nothing and keeps its statistics', async () => {
    const head = new MaskHead(store, '', { channels: 3, convDim: 4, classes: 2, norm: 'sync' });
    await initializeModule(store, 0);
    const parameters = store.parameters();
    const regions = { type: 'float32', shape: [-1, 14, 14, 3] } as const;
    const step = runtime.compile<'regions', string>(`mask_head_${count}`, { regions }, ({ regions }) => {
      const outputs: Record<string, Tensor> = {};
      const { grads } = tf.valueAndGrads(() => {
        outputs.masks = tf.keep(head.forward(regions, 'training'));
        return total(outputs.masks);
      })(parameters.map(({ variable }) => variable.read()));
      for (const [i, grad] of grads.entries()) outputs[`gradient ${parameters[i].key}`] = grad;
      return outputs;
    });
    const statistics = async () =>
      Promise.all(
        store.entries.filter(({ trained }) => !trained).map(({ variable }) => runtime.read(variable)),
      );
    const before = await statistics();
    const none = await step.run({ regions: { shape: [0, 14, 14, 3], data: new Float32Array(0) } });
    expect(none.masks).toHaveLength(0);
    for (const { key } of parameters) {
      expect(new Set(none[`gradient ${key}`] as Float32Array), key).toEqual(new Set([0]));
    }
    expect(await statistics()).toEqual(before);
    const some = await step.run({ regions: operand([2, 14, 14, 3], 'regions') });
    expect(some.masks).toHaveLength(2 * 28 * 28 * 2);
    expect(await statistics()).not.toEqual(before);
  });
});

/** Sum of all elements, as far as gradients go: tfjs's own wants to know the shape. */
function total(x: Tensor): Tensor {
  const flat = reshape(x, [1, -1]);
  const ones = reshape(tf.add(tf.mul(flat, 0), 1), [-1, 1]);
  return tf.reshape(tf.matMul(flat, ones), []);
}

describe('the detector', () => {
  it('takes images of any size, and gives gradients to what is trained', async () => {
    const detector = new Detector(runtime, {
      backbone: 'resnet18',
      weightsStyle: 'torch',
      freezeAt: 2,
      norms: { backbone: 'batch', fpn: 'batch', boxHead: 'batch', maskHead: 'batch' },
      boxHead: '4conv1fc',
      masks: true,
      classes: 3,
      fpnChannels: 16,
      fcDim: 16,
      convDim: 16,
    });
    await initializeModule(detector.store, 0);
    const trained = detector.store.parameters().filter(({ key }) => !key.startsWith('roi_heads.'));
    const images = { type: 'float32', shape: [-1, -1, -1, 3] } as const;
    const step = runtime.compile<'images', string>('detector', { images }, ({ images }) => {
      const outputs: Record<string, Tensor> = {};
      const { grads } = tf.valueAndGrads(() => {
        const levels = Object.values(detector.features(images, 'training'));
        const heads = levels.flatMap((level) => Object.values(detector.rpnHead.forward(level)));
        const all = concat(
          heads.map((map) => reshape(map, [-1])),
          0,
        );
        outputs.all = tf.keep(all);
        return total(all);
      })(trained.map(({ variable }) => variable.read()));
      for (const [i, grad] of grads.entries()) outputs[trained[i].key] = grad;
      return outputs;
    });
    for (const [n, h, w] of [
      [1, 64, 96],
      [2, 32, 64],
    ]) {
      const out = await step.run({ images: operand([n, h, w, 3], 'images') });
      const cells = [4, 8, 16, 32, 64].map((stride) => Math.ceil(h / stride) * Math.ceil(w / stride));
      expect(out.all).toHaveLength(n * 15 * cells.reduce((a, b) => a + b));
      for (const { key } of trained) {
        const gradient = out[key] as Float32Array;
        expect(gradient.every(Number.isFinite), key).toBe(true);
        expect(
          gradient.some((value) => value !== 0),
          key,
        ).toBe(true);
      }
    }
    expect(trained.some(({ key }) => /bottom_up\.(stem|res2)/.test(key))).toBe(false);
    expect(trained.some(({ key }) => /bottom_up\.res3/.test(key))).toBe(true);
  });
});
