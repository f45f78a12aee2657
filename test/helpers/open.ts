/** Operations on tensors of open shape: value and gradients, to compare with those on tensors of known shape. */

import type { Tensor } from '@tensorflow/tfjs';
import { expect } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import type { InputSpec } from '../../src/engine/step.js';
import { reshape } from '../../src/ops/reshape.js';
import { tf, withGradient } from '../../src/ops/tf.js';
import { expectClose, randomArray } from './arrays.js';
import type { Operand } from './engine.js';

type Work = (...inputs: Tensor[]) => Tensor;

interface Measured {
  /** Of the result, while it is traced. */
  shape: number[];
  value: Float32Array;
  gradients: Float32Array[];
}

let counter = 0;

/**
 * Value of `work`, and the gradient of sum(value r) with random r.
 *
 * @param shapes what is known of the operands' shapes while the step is traced
 * @param size number of elements of the value
 */
export async function measure(
  runtime: Runtime,
  operands: readonly Operand[],
  shapes: readonly (readonly number[])[],
  work: Work,
  size: number,
): Promise<Measured> {
  const specs = shapes.map((shape, i): [string, InputSpec] => [`x${i}`, { type: 'float32', shape }]);
  const inputs = { ...Object.fromEntries(specs), r: { type: 'float32', shape: [size] } as const };
  const results: Tensor[] = [];
  const step = runtime.compile<string, string>(`measure_${counter++}`, inputs, (fed) => {
    const { grads } = tf.valueAndGrads((...xs: Tensor[]) => {
      results.push(tf.keep(work(...xs)));
      return weighed(results[0], fed.r) as never;
    })(operands.map((_, i) => fed[`x${i}`]));
    return { value: results[0], ...Object.fromEntries(grads.map((grad, i) => [`g${i}`, grad])) };
  });
  const fed = Object.fromEntries(operands.map((value, i) => [`x${i}`, value]));
  const out = (await step.run({ ...fed, r: randomArray(size, 'weights') })) as Record<string, Float32Array>;
  return { shape: results[0].shape, value: out.value, gradients: operands.map((_, i) => out[`g${i}`]) };
}

/** sum(y r); tfjs's own gradient of a sum needs to know the shape. */
function weighed(y: Tensor, r: Tensor): Tensor {
  const flat = reshape(y, [-1]);
  return withGradient([flat], () => ({
    value: tf.sum(tf.mul(flat, r)),
    saved: [],
    gradient: (dy) => [tf.mul(r, dy)],
  }));
}

/**
 * Checks that `work` gives the same bits whether sides are known or not.
 *
 * @param shapes the operands' shapes with -1 for the sides that are not known
 * @param result the shape that is known of the result then
 * @param relative what may differ, for what is computed in another order
 */
export async function expectSameWhenOpen(
  runtime: Runtime,
  operands: readonly Operand[],
  shapes: readonly (readonly number[])[],
  result: readonly number[],
  work: Work,
  relative = 0,
): Promise<void> {
  const size = await sizeOf(runtime, operands, work);
  const known = operands.map(({ shape }) => shape);
  const closed = await measure(runtime, operands, known, work, size);
  const open = await measure(runtime, operands, shapes, work, size);
  expect(open.shape).toEqual(result);
  const tolerance = { absolute: relative, relative };
  expectClose(open.value, closed.value, tolerance);
  for (const [i, gradient] of closed.gradients.entries()) {
    expectClose(open.gradients[i], gradient, tolerance);
  }
}

async function sizeOf(runtime: Runtime, operands: readonly Operand[], work: Work): Promise<number> {
  const specs = operands.map(({ shape }, i): [string, InputSpec] => [`x${i}`, { type: 'float32', shape }]);
  const step = runtime.compile<string, 'y'>(`size_${counter++}`, Object.fromEntries(specs), (fed) => ({
    y: work(...operands.map((_, i) => fed[`x${i}`])),
  }));
  return (await step.run(Object.fromEntries(operands.map((value, i) => [`x${i}`, value])))).y.length;
}
