/** What happens to the elements of tensors on their way into another file; each when it is loaded, one at a time. */

import {
  type DType,
  fromFloat32,
  type HostTensor,
  loadTensor,
  type TensorSource,
  toFloat32,
} from '../core/array.js';
import { UserError } from '../core/errors.js';
import type { StateDict } from './state-dict.js';

/** Element types to which weights can be converted. */
export const FLOATS = ['float64', 'float32', 'float16', 'bfloat16'] as const;
export type Float = (typeof FLOATS)[number];

export function isFloat(dtype: DType): dtype is Float {
  return (FLOATS as readonly string[]).includes(dtype);
}

/** Floating tensors in another type, rounded to nearest; counters and other integers as they are. */
export function castFloats(dict: StateDict, dtype: Float): StateDict {
  const cast = (source: TensorSource): TensorSource =>
    !isFloat(source.dtype) || source.dtype === dtype
      ? source
      : {
          dtype,
          shape: source.shape,
          load: async () => fromFloat32(toFloat32(await loadTensor(source)), dtype),
        };
  return new Map([...dict].map(([key, source]) => [key, cast(source)]));
}

/**
 * The same tensors, refused when they are loaded if they cannot be weights: not finite, or a negative variance.
 *
 * @param where the file
 * @param path of the dict in it, which stands before the names in messages
 * @param allowed whole names that are taken as they are
 */
export function soundOnly(
  dict: StateDict,
  where: string,
  path: string,
  allowed: (name: string) => boolean,
): StateDict {
  const checked = (key: string, source: TensorSource): TensorSource => ({
    dtype: source.dtype,
    shape: source.shape,
    async load() {
      const tensor = await loadTensor(source);
      const problem = unsound(key, tensor);
      if (problem === undefined) return tensor;
      throw new UserError(problem, {
        where,
        key: path + key,
        remedy:
          'the training that wrote it went wrong, or the file is damaged; --allow NAME takes it as it is',
      });
    },
  });
  return new Map(
    [...dict].map(([key, source]) => [
      key,
      isFloat(source.dtype) && !allowed(path + key) ? checked(key, source) : source,
    ]),
  );
}

function unsound(key: string, tensor: HostTensor): string | undefined {
  const values = tensor.dtype === 'float64' ? tensor.data : toFloat32(tensor).data;
  const isVariance = key.endsWith('running_var');
  let infinite = 0;
  let negative = 0;
  // Only NaN and the infinities give something else than 0.
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) infinite++;
  if (isVariance) for (let i = 0; i < values.length; i++) if (values[i] < 0) negative++;
  if (infinite > 0) return `holds ${infinite} values that are NaN or infinite, of ${values.length}`;
  return negative > 0 ? `holds ${negative} negative variances, of ${values.length}` : undefined;
}
