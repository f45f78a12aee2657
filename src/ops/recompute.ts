/**
 * Activations that the backward pass computes again instead of keeping them (Chen et al., "Training deep nets with
 * sublinear memory cost", 2016). Only what costs one pass over memory: batch norm, ReLU, residual addition. Of a ResNet,
 * the outputs of its convolutions are kept, and all else follows from them, exactly as before.
 *
 * A tensor is recomputed at most once, when the first gradient that needs it is about to run.
 */

import type { Operation, Output } from '../tensorflow/graph.js';
import { inPath, producer, scopePath, type Tensor, toOutput, toTensor } from './tf.js';

/** Records the operation once more, not to run before `after`. */
type Recipe = (after: Operation) => Output;

const recipes = new WeakMap<Output, Recipe>();

/** Declares that gradients should compute `value` again. @returns `value` */
export function recomputable(value: Tensor, recipe: Recipe): Tensor {
  const path = `gradient/${scopePath()}`;
  let again: Output | undefined;
  recipes.set(toOutput(value), (after) => {
    again ??= inPath(path, () => recipe(after));
    return again;
  });
  return value;
}

/** Whether gradients compute this tensor again: then what follows from it need not be kept either. */
export function isRecomputable(tensor: Tensor): boolean {
  return recipes.has(toOutput(tensor));
}

/** For recipes: the tensor computed again after `after`, or itself when it is kept. */
export function again(output: Output, after: Operation): Output {
  return recipes.get(output)?.(after) ?? output;
}

/**
 * For gradients: the tensor computed again, or itself when it is kept.
 *
 * @param dy what the gradient waits for; recomputing starts only then
 */
export function recomputed(tensor: Tensor, dy: Tensor): Tensor {
  const output = toOutput(tensor);
  const computed = again(output, producer(dy));
  return computed === output ? tensor : toTensor(computed);
}
