/**
 * What every operation of this folder needs: TensorFlow.js (recording), custom gradients whose nodes carry the layer's
 * name, attributes, and shape errors.
 */

import { currentTrace, loadTfjs, scopePath, toOutput, toTensor } from '../engine/recorder.js';
import type { Tensor, Tfjs } from '../engine/tfjs.js';
import { TF_FLOAT, TF_INT32, TF_INT64, TF_UINT8 } from '../engine/types.js';

export {
  alsoRun,
  gate,
  op,
  operation,
  producer,
  readOnly,
  scope,
  scopePath,
  toOutput,
  toTensor,
  watchLayers,
} from '../engine/recorder.js';
export type { Tensor };
export { TF_FLOAT, TF_INT32, TF_INT64, TF_UINT8 };

/** TensorFlow.js, recording. Loaded when something of it is first asked for: to import an operation costs nothing. */
export const tf = new Proxy({} as Tfjs, { get: (_, name) => Reflect.get(loadTfjs(), name) });

/** An attribute that names 32-bit integers. */
export const INT = { kind: 'type', value: TF_INT32 } as const;

export const FLOAT = { T: { kind: 'type', value: TF_FLOAT } } as const;

/** A function's value, and what its gradient needs. */
export interface Differentiated {
  value: Tensor;
  saved: Tensor[];
  /** @returns one gradient for each input, in order */
  gradient: (dy: Tensor, saved: Tensor[]) => Tensor[];
}

/**
 * A function with a gradient of its own. Its gradient's nodes are named `gradient/<layer path>`.
 *
 * @param inputs the tensors that gradients are asked for; anything else the function uses counts as constant
 */
export function withGradient(inputs: readonly Tensor[], forward: () => Differentiated): Tensor {
  const path = scopePath();
  const custom = tf.customGrad((...args) => {
    const save = args.at(-1) as unknown as (tensors: Tensor[]) => void;
    const { value, saved, gradient } = forward();
    save(saved);
    return {
      value,
      gradFunc: (dy: Tensor, kept: Tensor[]) =>
        inPath(`gradient/${path}`, () => gradient(dy, kept).map((dx, i) => labelled(dx, inputs[i].shape))),
    };
  });
  return custom(...inputs);
}

/**
 * A gradient under its input's shape: TensorFlow may know more or fewer of the open sides, and tfjs wants the same. Nothing is
 * recorded for it.
 */
function labelled(dx: Tensor, shape: readonly number[]): Tensor {
  const compatible =
    dx.shape.length === shape.length &&
    shape.every((side, i) => side === dx.shape[i] || side < 0 || dx.shape[i] < 0);
  const same = shape.every((side, i) => side === dx.shape[i]);
  return same || !compatible ? dx : toTensor({ ...toOutput(dx), shape });
}

/** Whether all sides of a tensor are known. */
export function isClosed(x: Tensor): boolean {
  return x.shape.every((side) => side >= 0);
}

/** Checks that all sides of a tensor are known. @throws Error naming the layer */
export function expectClosed(what: string, x: Tensor): void {
  if (isClosed(x)) return;
  throw new Error(`${scopePath()}: no side of ${what} may be open, but it has shape [${x.shape.join(', ')}]`);
}

/** Records `work` under an absolute path. */
export function inPath<T>(path: string, work: () => T): T {
  const trace = currentTrace();
  const before = trace.path.splice(0, trace.path.length, path);
  try {
    return work();
  } finally {
    trace.path.splice(0, trace.path.length, ...before);
  }
}

/**
 * Checks a tensor's shape, as far as it is known.
 *
 * @param expected sides; a letter, or a side that is open itself, stands for any size
 * @throws Error naming the layer, the expected and the actual shape
 */
export function expectShape(what: string, tensor: Tensor, expected: readonly (number | string)[]): void {
  const { shape } = tensor;
  const fits =
    shape.length === expected.length &&
    expected.every((side, i) => typeof side === 'string' || side === shape[i] || side < 0 || shape[i] < 0);
  if (!fits) {
    throw new Error(
      `${scopePath()}: ${what} must have shape [${expected.join(', ')}], but has [${shape.join(', ')}]`,
    );
  }
}
