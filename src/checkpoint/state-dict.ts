/**
 * State dicts: tensors by their PyTorch names. Taking one out of a checkpoint, comparing it with what a model expects, and
 * changing layouts.
 *
 * Files hold convolution filters as OIHW and linear weights as [out, in]; the engine holds HWIO and [in, out]. The
 * conversions are permutations of axes: exact in every element type, and each other's inverse.
 */

import {
  bytesOf,
  elementSize,
  gatherStrided,
  type HostTensor,
  rowMajorStrides,
  type TensorSource,
  tensorFromBytes,
} from '../core/array.js';
import { UserError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { type FileValue, isTensor } from '../formats/value.js';
import { listed } from './listing.js';

export type StateDict = Map<string, TensorSource>;

/**
 * Reorders the axes: axis i of the result is axis `axes[i]` of the argument, as in NumPy's transpose.
 *
 * @throws RangeError when `axes` is no permutation of the tensor's axes
 */
export function permute(tensor: HostTensor, axes: readonly number[]): HostTensor {
  const { dtype, shape } = tensor;
  if (axes.length !== shape.length || !shape.every((_, axis) => axes.includes(axis))) {
    throw new RangeError(`permute: axes [${axes}] do not name each axis of shape [${shape}] once`);
  }
  const strides = rowMajorStrides(shape);
  const newShape = axes.map((axis) => shape[axis]);
  const newStrides = axes.map((axis) => strides[axis]);
  const bytes = gatherStrided(bytesOf(tensor), elementSize(dtype), newShape, newStrides);
  return tensorFromBytes(dtype, newShape, bytes);
}

/** Convolution filters from PyTorch's layout to the engine's. */
export function oihwToHwio(filters: HostTensor): HostTensor {
  return permute(filters, [2, 3, 1, 0]);
}

/** Convolution filters from the engine's layout to PyTorch's. */
export function hwioToOihw(filters: HostTensor): HostTensor {
  return permute(filters, [3, 2, 0, 1]);
}

/** A linear weight from [out, in] to [in, out], and back. */
export function transposeLinear(weight: HostTensor): HostTensor {
  return permute(weight, [1, 0]);
}

/**
 * The state dict under `key` of a checkpoint, or the value itself when `key` is undefined.
 *
 * @param where the file, for messages
 * @throws UserError when it is missing, or holds something else than tensors
 */
export function stateDictOf(value: FileValue, where: string, key?: string): StateDict {
  const found = key === undefined ? value : value instanceof Map ? value.get(key) : undefined;
  const named = key === undefined ? {} : { key };
  if (!(found instanceof Map)) {
    const names = value instanceof Map ? [...value.keys()].slice(0, 20).join(', ') : '';
    throw new UserError(found === undefined ? 'is not in the file' : 'is no state dict', {
      where,
      ...named,
      remedy: names === '' ? 'name a checkpoint' : `the file holds: ${names}`,
    });
  }
  const dict: StateDict = new Map();
  for (const [name, tensor] of found) {
    if (typeof name !== 'string' || !isTensor(tensor)) {
      throw new UserError(`is no state dict: ${JSON.stringify(name)} is no tensor`, {
        where,
        ...named,
        remedy: 'name the part of the checkpoint that holds the weights',
      });
    }
    dict.set(name, tensor);
  }
  return dict;
}

/**
 * Requires exactly the expected names and shapes.
 *
 * @param where what was read, for messages
 * @throws UserError that lists missing names, unexpected ones with the nearest expected name, and wrong shapes
 */
export function matchStateDict(
  expected: ReadonlyMap<string, readonly number[]>,
  found: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  where = 'state dict',
): void {
  const missing = [...expected.keys()].filter((name) => !found.has(name));
  const unexpected = [...found.keys()].filter((name) => !expected.has(name));
  const wrong = [...expected].flatMap(([name, shape]) => {
    const tensor = found.get(name);
    if (tensor === undefined || String(tensor.shape) === String(shape)) return [];
    return [`${name}: expected [${shape.join(', ')}], found [${tensor.shape.join(', ')}]`];
  });
  if (missing.length + unexpected.length + wrong.length === 0) return;
  const lines = [
    ...listed('missing', missing, (name) => name),
    ...listed('unexpected', unexpected, (name) => {
      const likely = nearest(name, missing, 1 / 2) ?? nearest(name, expected.keys(), 1 / 2);
      return likely === undefined ? name : `${name} (nearest: ${likely})`;
    }),
    ...listed('wrong shape', wrong, (line) => line),
  ];
  const matched = expected.size - missing.length - wrong.length;
  throw new UserError(`does not fit: ${matched} of ${expected.size} tensors match\n${lines.join('\n')}`, {
    where,
    remedy: 'load a checkpoint of the same architecture',
  });
}
