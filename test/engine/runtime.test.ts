/** The engine's face: values, assignment, gradients, errors, and that steps leave nothing behind. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeTimes } from '../../src/engine/profile.js';
import { scope } from '../../src/engine/recorder.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { relu } from '../../src/ops/relu.js';
import { type Tensor, tf } from '../../src/ops/tf.js';
import { liveTensors } from '../../src/tensorflow/tensor.js';
import { openRuntime } from '../helpers/engine.js';

const VECTOR = { x: { type: 'float32', shape: [2] } } as const;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

describe('variables', () => {
  it('are read as they were at the start of the step, whatever the step assigns', async () => {
    const w = runtime.variable('w', [2]);
    await runtime.write(w, Float32Array.of(3, 4));
    const step = runtime.compile('assign', VECTOR, ({ x }) => {
      w.assign(tf.add(w.read(), x));
      return { before: w.read() };
    });
    expect(await step.run({ x: Float32Array.of(1, 2) })).toEqual({ before: Float32Array.of(3, 4) });
    expect(await runtime.read(w)).toEqual(Float32Array.of(4, 6));
  });

  it('have one declaration, and no value before they are written', async () => {
    const fresh = runtime.variable('fresh', [1]);
    await expect(runtime.read(fresh)).rejects.toThrow(/read fresh/);
    expect(() => runtime.variable('fresh', [1])).toThrow('variable fresh is declared twice');
    await expect(runtime.write(fresh, new Float32Array(2))).rejects.toThrow(
      'variable fresh has shape [1], got 2 elements',
    );
  });
});

describe('open shapes', () => {
  const OPEN = { x: { type: 'float32', shape: [-1, 2] }, y: { type: 'float32', shape: [-1, -1] } } as const;

  it('are filled by an array, or by an array with its shape', async () => {
    const step = runtime.compile('open', OPEN, ({ x, y }) => ({ x: tf.neg(x), y: tf.neg(y) }));
    const y = { shape: [1, 3], data: Float32Array.of(1, 2, 3) };
    expect(await step.runWithShapes({ x: Float32Array.of(1, 2, 3, 4), y })).toEqual({
      x: { shape: [2, 2], data: Float32Array.of(-1, -2, -3, -4) },
      y: { shape: [1, 3], data: Float32Array.of(-1, -2, -3) },
    });
    const none = { shape: [0, 5], data: new Float32Array(0) };
    const empty = await step.runWithShapes({ x: new Float32Array(0), y: none });
    expect(empty.x.shape).toEqual([0, 2]);
    expect(empty.y.shape).toEqual([0, 5]);
  });

  it('say what does not fit', async () => {
    const step = runtime.compile('open', OPEN, ({ x, y }) => ({ x: tf.neg(x), y: tf.neg(y) }));
    const tensors = liveTensors();
    const y = { shape: [1, 1], data: new Float32Array(1) };
    const x = new Float32Array(2);
    const fails = (inputs: Parameters<typeof step.run>[0], text: string) =>
      expect(step.run(inputs)).rejects.toThrow(text);
    await fails({ x: new Float32Array(3), y }, 'input x has shape [-1, 2], which 3 elements do not fill');
    await fails({ x, y: new Float32Array(4) }, 'input y has shape [-1, -1]: more than one side is open');
    await fails(
      { x: { shape: [1, 3], data: new Float32Array(3) }, y },
      'input x has shape [-1, 2], but got [1, 3]',
    );
    await fails(
      { x, y: { shape: [2], data: new Float32Array(2) } },
      'input y has shape [-1, -1], but got [2]',
    );
    await fails({ x, y: { shape: [2, 2], data: x } }, 'is said to have shape [2, 2], but has 2 elements');
    await fails({ x } as never, 'step open: input y is missing');
    expect(liveTensors()).toBe(tensors);
  });
});

describe('steps', () => {
  it("run tfjs's programs and gradients", async () => {
    const step = runtime.compile('gradient', VECTOR, ({ x }) => {
      const { value, grads } = tf.valueAndGrads((x: Tensor) => tf.sum(tf.pow(x, 3)) as never)([x]);
      return { value, gradient: grads[0] };
    });
    const result = await step.run({ x: Float32Array.of(1, 2) });
    expect(result).toEqual({ value: Float32Array.of(9), gradient: Float32Array.of(3, 12) });
  });

  it('give back an input as it came', async () => {
    const step = runtime.compile('same', VECTOR, ({ x }) => ({ y: x }));
    expect(await step.run({ x: Float32Array.of(1, 2) })).toEqual({ y: Float32Array.of(1, 2) });
  });

  it('leave the event loop free', async () => {
    const input = { x: { type: 'float32', shape: [600, 600] } } as const;
    const step = runtime.compile('slow', input, ({ x }) => {
      let y = x;
      for (let i = 0; i < 40; i++) y = tf.mul(tf.matMul(y, x), 1e-3);
      return { y: tf.sum(y) };
    });
    const order: string[] = [];
    const running = step.run({ x: new Float32Array(360_000) }).then(() => order.push('step'));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('event loop');
    await running;
    expect(order).toEqual(['event loop', 'step']);
  });

  it('say which input is wrong, and which shape it should have', async () => {
    const step = runtime.compile('strict', VECTOR, ({ x }) => ({ y: tf.neg(x) }));
    await expect(step.run({ x: new Float32Array(3) })).rejects.toThrow(
      'step strict: input x has shape [2], that is 2 elements, but got 3',
    );
  });

  it('carry the path of layers into errors and node names', async () => {
    const bad = () =>
      runtime.compile('bad', VECTOR, ({ x }) =>
        scope('layer', () => ({ y: tf.matMul(tf.reshape(x, [1, 2]), tf.reshape(x, [1, 2])) })),
      );
    expect(bad).toThrow(/bad\/layer\/BatchMatMulV2.*Dimensions must be equal/);
    const step = runtime.compile('named', VECTOR, ({ x }) => {
      const { grads } = tf.valueAndGrads((x: Tensor) => tf.sum(scope('head', () => relu(x))) as never)([x]);
      return { gradient: grads[0] };
    });
    let names: string[] = [];
    await step.run(
      { x: Float32Array.of(1, -1) },
      {
        trace(metadata) {
          names = nodeTimes(metadata).map(({ name }) => name);
        },
      },
    );
    expect(names.some((name) => name.startsWith('gradient/named/head/ReluGrad'))).toBe(true);
  });

  it('refuse tensors of other steps', () => {
    let stranger: Tensor | undefined;
    runtime.compile('one', VECTOR, ({ x }) => {
      stranger = tf.keep(tf.neg(x));
      return { stranger };
    });
    const two = () => runtime.compile('two', VECTOR, ({ x }) => ({ y: tf.add(x, stranger as Tensor) }));
    expect(two).toThrow('a tensor of another compiled step was used');
  });

  it('leave nothing behind: 1,000 steps, and failing ones', async () => {
    const w = runtime.variable('leak', [64, 64]);
    await runtime.write(w, new Float32Array(4096).fill(0.01));
    const step = runtime.compile('leak', { x: { type: 'float32', shape: [32, 64] } }, ({ x }) => {
      const { value, grads } = tf.valueAndGrads(
        (w: Tensor) => tf.sum(relu(tf.matMul(x, w as never))) as never,
      )([w.read()]);
      w.assign(tf.sub(w.read(), tf.mul(grads[0], 1e-6)));
      return { value };
    });
    const x = new Float32Array(2048).fill(0.5);
    const tensors = liveTensors();
    for (let i = 0; i < 1000; i++) await step.run({ x });
    for (let i = 0; i < 10; i++) await step.run({ x: new Float32Array(1) }).catch(() => undefined);
    expect(liveTensors()).toBe(tensors);
  });
});

describe('a closed runtime', () => {
  it('throws for whatever is asked of it, and for closing it again', async () => {
    const closed = await openRuntime();
    const w = closed.variable('w', [2]);
    await closed.write(w, Float32Array.of(1, 2));
    const step = closed.compile('step', VECTOR, ({ x }) => ({ y: tf.add(x, w.read()) }));
    const before = liveTensors();
    closed.close();
    await expect(step.run({ x: Float32Array.of(1, 2) })).rejects.toThrow('session is closed');
    await expect(closed.read(w)).rejects.toThrow('session is closed');
    await expect(closed.write(w, Float32Array.of(1, 2))).rejects.toThrow('session is closed');
    expect(() => closed.compile('late', VECTOR, ({ x }) => ({ y: x }))).toThrow('graph is deleted');
    expect(() => closed.variable('late', [1])).toThrow('graph is deleted');
    expect(() => closed.close()).toThrow('session is closed');
    expect(liveTensors()).toBe(before);
  });

  it('is not closed while a step runs', async () => {
    const busy = await openRuntime();
    const step = busy.compile('busy', VECTOR, ({ x }) => ({ y: tf.neg(x) }));
    const running = step.run({ x: Float32Array.of(1, 2) });
    expect(() => busy.close()).toThrow('while it runs');
    expect(await running).toEqual({ y: Float32Array.of(-1, -2) });
    busy.close();
  });
});
