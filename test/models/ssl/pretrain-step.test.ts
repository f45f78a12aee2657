/** Properties of the compiled step on a small network: padding, the update rule, the moving average. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initializeModule } from '../../../src/checkpoint/module-state.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import { type Method, Networks } from '../../../src/models/ssl/networks.js';
import { compilePretrainStep, NORMALIZED_VIEWS } from '../../../src/models/ssl/pretrain-step.js';
import { Lars } from '../../../src/solver/lars.js';
import { expectClose, randomArray } from '../../helpers/arrays.js';
import { openRuntime } from '../../helpers/engine.js';

const IMAGES = 3;
const SIDE = 64;
const CELLS = 4;

let runtime: Runtime;
beforeEach(async () => {
  runtime = await openRuntime();
});
afterEach(() => runtime.close());

async function build(method: Method, boxes: number, rate = 0.1, targetRate = 0.25) {
  const networks = new Networks(runtime, {
    method,
    backbone: 'resnet18',
    hiddenSize: 16,
    outputSize: 8,
    classes: undefined,
  });
  const parameters = networks.trained().flatMap((store) => store.parameters());
  const solver = new Lars(
    runtime,
    parameters.map(({ variable, role }) => {
      const adapted = role === 'conv' || role === 'linear';
      return { variable, rule: { decay: adapted, adapted, squaredRate: false } };
    }),
    { momentum: 0.9, nesterov: false, weightDecay: 1e-4, trust: 0.001 },
  );
  for (const store of networks.stores()) await initializeModule(store, 1);
  await runtime.clear(solver.buffers);
  const shape = { images: IMAGES, side: SIDE, boxes };
  const step = compilePretrainStep(runtime, networks, solver, { ...shape, viewStage: NORMALIZED_VIEWS });
  const scalars = { rate: Float32Array.of(rate), target_rate: Float32Array.of(targetRate) };
  return { networks, step, scalars };
}

async function value(name: string): Promise<Float32Array> {
  const variable = runtime.variables().find((candidate) => candidate.name === name);
  if (variable === undefined) throw new Error(`no variable ${name}`);
  return (await runtime.read(variable)) as Float32Array;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

const images = randomArray(2 * IMAGES * SIDE * SIDE * 3, 'views');

/** Weights [2N, boxes, cells] whose first `used` boxes are drawn by name and whose others are `rest`. */
function weights(boxes: number, used: number, rest: number): Float32Array {
  const drawn = randomArray(2 * IMAGES * used * CELLS, 'boxes').map(Math.abs);
  const out = new Float32Array(2 * IMAGES * boxes * CELLS).fill(rest);
  for (let view = 0; view < 2 * IMAGES; view++) {
    out.set(drawn.subarray(view * used * CELLS, (view + 1) * used * CELLS), view * boxes * CELLS);
  }
  return out;
}

describe('padding', () => {
  it('touches neither loss, nor statistics, nor updates: two boxes, or two of four', async () => {
    const watched = [
      'online_network.projector.net.1.running_mean',
      'online_network.projector.net.1.running_var',
      'target_network.projector.net.1.running_var',
      'predictor.net.1.running_mean',
      'online_network.projector.net.0.weight',
      'online_network.encoder.0.weight',
      'predictor.net.1.bias',
    ];
    const results: { loss: number; spread: number; values: Float32Array[] }[] = [];
    for (const [boxes, rest] of [
      [2, 0],
      [4, 0],
      [4, 0.7],
    ] as const) {
      runtime.close();
      runtime = await openRuntime();
      const { step, scalars } = await build('scrl', boxes);
      const valid = Float32Array.from({ length: IMAGES * boxes }, (_, i) => (i % boxes < 2 ? 1 : 0));
      const outputs = await step.run({ images, ...scalars, roi_weights: weights(boxes, 2, rest), valid });
      results.push({
        loss: Number(outputs.loss[0]),
        spread: Number(outputs.spread[0]),
        values: await Promise.all(watched.map(value)),
      });
    }
    const [plain, ...padded] = results;
    for (const { loss, spread, values } of padded) {
      expect(loss).toBeCloseTo(plain.loss, 5);
      expect(spread).toBeCloseTo(plain.spread, 5);
      values.forEach((actual, i) => {
        expectClose(actual, plain.values[i], { absolute: 1e-5, relative: 1e-4 });
      });
    }
  });
});

it('the target moves by 1 - m towards the updated online network, its statistics by their own batch', async () => {
  const { networks, step, scalars } = await build('byol', 0);
  const names = ['encoder.0.weight', 'projector.net.1.weight', 'projector.net.3.weight'];
  const before = await Promise.all(names.map((name) => value(`target_network.${name}`)));
  await step.run({ images, ...scalars });
  for (const [i, name] of names.entries()) {
    const online = await value(`online_network.${name}`);
    const expected = before[i].map((old, p) => 0.75 * old + 0.25 * online[p]);
    expectClose(await value(`target_network.${name}`), expected);
  }
  const statistics = 'projector.net.1.running_mean';
  expect(await value(`target_network.${statistics}`)).not.toEqual(
    await value(`online_network.${statistics}`),
  );
  expect(networks.classifier).toBeUndefined();
});

it('a learning rate of 0 and m = 1 leave all parameters as they were', async () => {
  const { networks, step, scalars } = await build('byol', 0, 0, 0);
  const parameters = networks.stores().flatMap((store) => store.parameters());
  const variables = parameters.map(({ variable }) => variable);
  const before = await runtime.readAll(variables);
  await step.run({ images, ...scalars });
  const after = await runtime.readAll(variables);
  for (const [i, { name }] of variables.entries()) {
    // Millions of elements: `toEqual` would take a minute.
    expect(Buffer.compare(bytesOf(after[i]), bytesOf(before[i])), name).toBe(0);
  }
});

it('names the layer when images are too small', async () => {
  const networks = new Networks(runtime, {
    method: 'byol',
    backbone: 'resnet18',
    hiddenSize: 4,
    outputSize: 2,
    classes: undefined,
  });
  const compiled = () =>
    runtime.compile('bad', { images: { type: 'float32', shape: [1, 32, 32, 4] } }, ({ images }) => ({
      y: networks.online.encoder.forward(images, 'inference').res5,
    }));
  expect(compiled).toThrow(
    /online_network\.encoder\.0: the input of conv2d must have shape \[N, H, W, 3\], but has \[1, 32, 32, 4\]/,
  );
});
