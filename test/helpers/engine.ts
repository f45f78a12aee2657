/** A TensorFlow runtime for tests (installed on first use), and a gradient check. */

import { expect } from 'vitest';
import { SILENT } from '../../src/core/log.js';
import { ensureEngine } from '../../src/engine/install/install.js';
import { loadTfjs } from '../../src/engine/recorder.js';
import { Runtime } from '../../src/engine/runtime.js';
import type { Tensor } from '../../src/engine/tfjs.js';
import { randomArray } from './arrays.js';

export async function openRuntime(): Promise<Runtime> {
  const { libraries } = await ensureEngine({ log: SILENT });
  return Runtime.open({ libraries, device: 'cpu' });
}

export interface Operand {
  shape: number[];
  data: Float32Array;
}

/** The element with these indices, one for each axis. */
export function at({ shape, data }: Operand, ...index: number[]): number {
  return data[index.reduce((offset, i, axis) => offset * shape[axis] + i, 0)];
}

export function operand(shape: number[], name: string): Operand {
  return {
    shape,
    data: randomArray(
      shape.reduce((a, b) => a * b, 1),
      name,
    ),
  };
}

let counter = 0;

/** Runs `work` once on the operands. */
export async function evaluate<Name extends string>(
  runtime: Runtime,
  operands: readonly Operand[],
  work: (...inputs: Tensor[]) => Record<Name, Tensor>,
): Promise<Record<Name, Float32Array>> {
  const specs = operands.map(({ shape }, i) => [`x${i}`, { type: 'float32', shape }] as const);
  const step = runtime.compile(`test_${counter++}`, Object.fromEntries(specs), (inputs) =>
    work(...operands.map((_, i) => inputs[`x${i}`])),
  );
  const fed = Object.fromEntries(operands.map(({ data }, i) => [`x${i}`, data]));
  return (await step.run(fed)) as Record<Name, Float32Array>;
}

/**
 * Compares a function's gradient with central differences of sum(f(x) r), where r is random: a wrong sign, a wrong
 * factor or a transposed result does not pass.
 *
 * @param step must not cross a kink of the function
 */
export async function checkGradients(
  runtime: Runtime,
  operands: readonly Operand[],
  work: (...inputs: Tensor[]) => Tensor,
  { step = 1e-2, tolerance = 1e-2, points = 12 } = {},
): Promise<void> {
  const tf = loadTfjs();
  const weigh = (y: Tensor) => tf.sum(tf.mul(y, tf.tensor(randomArray(y.size, 'weights'), y.shape)));
  const { value: _, ...gradients } = await evaluate(runtime, operands, (...inputs) => {
    const { value, grads } = tf.valueAndGrads((...xs: Tensor[]) => weigh(work(...xs)) as never)(inputs);
    return { value, ...Object.fromEntries(grads.map((grad, i) => [`g${i}`, grad])) };
  });

  const specs = operands.map(({ shape }, i) => [`x${i}`, { type: 'float32', shape }] as const);
  const forward = runtime.compile(`test_${counter++}`, Object.fromEntries(specs), (inputs) => ({
    value: weigh(work(...operands.map((_, i) => inputs[`x${i}`]))),
  }));
  const at = async (which: number, index: number, change: number) => {
    const fed = Object.fromEntries(operands.map(({ data }, i) => [`x${i}`, data.slice()]));
    fed[`x${which}`][index] += change;
    return Number((await forward.run(fed)).value[0]);
  };
  for (const [which, { data }] of operands.entries()) {
    const analytic = (gradients as Record<string, Float32Array>)[`g${which}`];
    expect(analytic.length).toBe(data.length);
    const scale = Math.max(...analytic.map(Math.abs));
    for (let p = 0; p < Math.min(points, data.length); p++) {
      const index = Math.floor((p * data.length) / Math.min(points, data.length));
      const numeric = ((await at(which, index, step)) - (await at(which, index, -step))) / (2 * step);
      expect(
        Math.abs(numeric - analytic[index]),
        `input ${which}, element ${index}: ${analytic[index]} against ${numeric} by differences`,
      ).toBeLessThan(tolerance * Math.max(scale, 0.1));
    }
  }
}
