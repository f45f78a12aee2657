/** Steps that ask the host in their middle: what arrives, and that every way to fail leaves the next step right. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answerer, ask } from '../../src/engine/question.js';
import type { Runtime } from '../../src/engine/runtime.js';
import type { Step } from '../../src/engine/step.js';
import type { Variable } from '../../src/engine/variable.js';
import { op, type Tensor, TF_FLOAT, TF_INT32, tf } from '../../src/ops/tf.js';
import { liveTensors } from '../../src/tensorflow/tensor.js';
import { openRuntime } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('ask', () => {
  it('hands the host shapes and values, and the graph the answers', async () => {
    const step = runtime.compile('open', { x: { type: 'float32', shape: [-1, 2] } }, ({ x }) => {
      const twice = tf.mul(x, 2);
      const { rows, most } = ask(
        'rows',
        { twice, flag: tf.cast(tf.greater(twice, 3), 'bool') },
        { rows: { type: 'int32', shape: [-1, -1] }, most: { type: 'float32', shape: [2] } },
      );
      expect(rows.shape).toEqual([-1, -1]);
      expect(most.shape).toEqual([2]);
      return { rows: tf.neg(rows), sum: tf.add(most, 1) };
    });
    const answers = {
      rows: async ({ twice, flag }: Parameters<Answerer>[0]) => {
        expect(twice).toEqual({ shape: [2, 2], data: Float32Array.of(2, 4, 6, 8) });
        expect(flag).toEqual({ shape: [2, 2], data: Uint8Array.of(0, 1, 1, 1) });
        return { rows: { shape: [1, 3], data: Int32Array.of(1, 2, 3) }, most: Float32Array.of(5, 6) };
      },
    };
    const result = await step.runWithShapes({ x: Float32Array.of(1, 2, 3, 4) }, { answers });
    expect(result.rows).toEqual({ shape: [1, 3], data: Int32Array.of(-1, -2, -3) });
    expect(result.sum.data).toEqual(Float32Array.of(6, 7));
  });

  it('may be used twice in a step, the second question after the first answer', async () => {
    const scalar = { y: { type: 'float32', shape: [] } } as const;
    const step = runtime.compile('twice', { x: { type: 'float32', shape: [] } }, ({ x }) => {
      const first = ask('first', { x }, scalar).y;
      return ask('second', { x: tf.mul(first, 10) }, scalar);
    });
    const plusOne: Answerer = ({ x }) => ({ y: Float32Array.of((x.data[0] as number) + 1) });
    const { y } = await step.run({ x: Float32Array.of(1) }, { answers: { first: plusOne, second: plusOne } });
    expect(y).toEqual(Float32Array.of(21));
    const late: Answerer = () => {
      throw new Error('no second answer');
    };
    const failing = step.run({ x: Float32Array.of(1) }, { answers: { first: plusOne, second: late } });
    await expect(failing).rejects.toThrow('no second answer');
    const early = step.run({ x: Float32Array.of(1) }, { answers: { first: late, second: plusOne } });
    await expect(early).rejects.toThrow('no second answer');
    const again = await step.run({ x: Float32Array.of(2) }, { answers: { first: plusOne, second: plusOne } });
    expect(again.y).toEqual(Float32Array.of(31));
  });

  it('has one name in a step, and needs somebody to answer', async () => {
    const specs = { y: { type: 'float32', shape: [] } } as const;
    const twice = () =>
      runtime.compile('same', { x: { type: 'float32', shape: [] } }, ({ x }) => {
        ask('it', { x }, specs);
        return ask('it', { x }, specs);
      });
    expect(twice).toThrow('question it is asked twice');
    const step = runtime.compile('mute', { x: { type: 'float32', shape: [] } }, ({ x }) =>
      ask('it', { x }, specs),
    );
    await expect(step.run({ x: Float32Array.of(1) })).rejects.toThrow(
      'step mute asks it, and nobody answers',
    );
  });

  it('takes one run at a time: each gets its own answer', async () => {
    const step = runtime.compile('turns', { x: { type: 'float32', shape: [] } }, ({ x }) =>
      ask('echo', { x }, { y: { type: 'float32', shape: [] } }),
    );
    const echo: Answerer = async ({ x }) => {
      await pause(10 - 3 * (x.data[0] as number));
      return { y: x };
    };
    const runs = [1, 2, 3].map((x) => step.run({ x: Float32Array.of(x) }, { answers: { echo } }));
    expect((await Promise.all(runs)).map(({ y }) => y[0])).toEqual([1, 2, 3]);
  });
});

describe('a step that fails', () => {
  const X = new Float32Array(10).fill(2);
  const INSIDE = Int32Array.of(1, 2);
  const OUTSIDE = Int32Array.of(1, 20);
  const ANSWER = { cells: INSIDE, extra: new Float32Array(8) };

  let step: Step<'x' | 'before' | 'beside', 'y'>;
  /** Early, read by the step, counts its runs; the others are assigned before and after the question is recorded. */
  let variables: { count: Variable; early: Variable; unread: Variable };

  beforeAll(() => {
    variables = {
      count: runtime.variable('count', []),
      early: runtime.variable('early', []),
      unread: runtime.variable('unread', []),
    };
    const indices = { type: 'int32', shape: [2] } as const;
    step = runtime.compile(
      'fails',
      { x: { type: 'float32', shape: [10] }, before: indices, beside: indices },
      ({ x, before, beside }) => {
        // Neither depends on the answer by itself.
        variables.early.assign(tf.add(variables.early.read(), 1));
        const { cells, extra } = ask(
          'cells',
          { mean: tf.mean(gather(x, before)) },
          { cells: { type: 'int32', shape: [2] }, extra: { type: 'float32', shape: [-1, 4] } },
        );
        variables.unread.assign(tf.sum(x));
        // Fails when the question has long been asked.
        const late = tf.add(x, tf.mul(slowSum(x), 0));
        const y = tf.add(tf.add(gather(x, cells), gather(late, beside)), tf.sum(extra));
        variables.count.assign(tf.add(variables.count.read(), tf.add(tf.mul(tf.sum(y), 0), 1)));
        return { y };
      },
    );
  });

  const run = (inputs: { before?: Int32Array; beside?: Int32Array }, cells: Answerer) =>
    step.run({ x: X, before: INSIDE, beside: INSIDE, ...inputs }, { answers: { cells } });
  const values = async () => (await runtime.readAll(Object.values(variables))).map(([value]) => value);

  /** @param written how many variables a run may have changed before it failed */
  const thenAllIsWell = async (failing: () => Promise<unknown>, message: RegExp, written = 0) => {
    for (const variable of Object.values(variables)) await runtime.write(variable, Float32Array.of(0));
    const tensors = liveTensors();
    await expect(failing()).rejects.toThrow(message);
    expect(liveTensors()).toBe(tensors);
    const after = await values();
    expect(after[0]).toBe(0);
    expect(after.filter((value) => value !== 0).length).toBeLessThanOrEqual(written);
    for (let again = 1; again <= 2; again++) {
      expect((await run({}, () => ANSWER)).y).toEqual(Float32Array.of(4, 4));
      expect(await values()).toEqual([again, Number(after[1]) + again, 20]);
    }
    expect(liveTensors()).toBe(tensors);
  };

  it('because the host throws at once', () =>
    thenAllIsWell(
      () =>
        run({}, () => {
          throw new Error('the host threw');
        }),
      /^the host threw$/,
    ));

  it('because the host throws later', () =>
    thenAllIsWell(
      () =>
        run({}, async () => {
          await pause(50);
          throw new Error('the host threw later');
        }),
      /^the host threw later$/,
    ));

  it('because an answer does not fit', async () => {
    await thenAllIsWell(
      () => run({}, () => ({ ...ANSWER, cells: Int32Array.of(1) })),
      /^the answer to cells: cells has shape \[2\], that is 2 elements, but got 1$/,
    );
    await thenAllIsWell(
      () => run({}, () => ({ ...ANSWER, extra: new Float32Array(3) })),
      /^the answer to cells: extra has shape \[-1, 4\], which 3 elements do not fill$/,
    );
  });

  it('because an answer is missing', () =>
    thenAllIsWell(() => run({}, () => ({ cells: INSIDE })), /^the answer to cells: extra is missing$/));

  it('because an answer is of another type', () =>
    thenAllIsWell(
      () => run({}, () => ({ ...ANSWER, cells: Uint8Array.of(1, 2) })),
      /int32 data expected, got Uint8Array/,
    ));

  it('before it asks', () =>
    thenAllIsWell(() => run({ before: OUTSIDE }, () => ANSWER), /^step fails: .*indices/s));

  it('in another branch while the host thinks', () =>
    thenAllIsWell(
      () =>
        run({ beside: OUTSIDE }, async () => {
          await pause(300);
          return ANSWER;
        }),
      /^step fails: .*indices/s,
    ));

  it('in another branch while the host thinks, and throws', () =>
    thenAllIsWell(
      () =>
        run({ beside: OUTSIDE }, async () => {
          await pause(300);
          throw new Error('the host threw');
        }),
      /^the host threw$/,
    ));

  // What does not depend on the operation that fails may have been written, as in any step.
  it('after the answer', () =>
    thenAllIsWell(() => run({}, () => ({ ...ANSWER, cells: OUTSIDE })), /^step fails: .*indices/s, 2));

  it('forty times, and leaves nothing behind', async () => {
    const tensors = liveTensors();
    for (let i = 0; i < 40; i++) {
      const failing =
        i % 2 === 0 ? run({ before: OUTSIDE }, () => ANSWER) : run({}, () => ({ cells: INSIDE }));
      await expect(failing).rejects.toThrow();
      await run({}, () => ANSWER);
    }
    expect(liveTensors()).toBe(tensors);
  });
});

/** Some 50 ms of work on a vector of ten. */
function slowSum(x: Tensor): Tensor {
  const wide = tf.matMul(tf.reshape(tf.tile(x, [60]), [600, 1]), tf.reshape(tf.tile(x, [60]), [1, 600]));
  let y = wide;
  for (let i = 0; i < 10; i++) y = tf.mul(tf.matMul(y as never, wide as never), 1e-3);
  return tf.sum(y);
}

/** Fails when an index is outside. */
function gather(x: Tensor, indices: Tensor): Tensor {
  return op('GatherNd', [x, tf.reshape(indices, [2, 1])], {
    Tparams: { kind: 'type', value: TF_FLOAT },
    Tindices: { kind: 'type', value: TF_INT32 },
  });
}
