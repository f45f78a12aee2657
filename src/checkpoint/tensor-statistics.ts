/** What a tensor holds, in a few numbers. */

import {
  type DType,
  elementCount,
  type HostTensor,
  loadTensor,
  type TensorSource,
  toFloat32,
} from '../core/array.js';

export interface TensorStatistics {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Of the finite values; undefined when there are none. */
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  /** NaN and infinite values. */
  readonly nonFinite: number;
}

export async function statisticsOf(source: TensorSource): Promise<TensorStatistics> {
  const { dtype, shape } = source;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let nonFinite = 0;
  const values = valuesOf(await loadTensor(source));
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) {
      nonFinite++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  const finite = elementCount(shape) - nonFinite;
  return { dtype, shape, nonFinite, ...(finite > 0 && { min, max, mean: sum / finite }) };
}

export interface TensorDifference {
  /** Elements whose values differ; NaN equals NaN. */
  readonly different: number;
  readonly elements: number;
  /** Largest absolute difference; NaN or infinite when one side is. */
  readonly largest: number;
  /** The largest difference relative to the largest magnitude in the first tensor. */
  readonly relative: number;
}

/** @returns undefined when the shapes differ */
export async function differenceOf(a: TensorSource, b: TensorSource): Promise<TensorDifference | undefined> {
  if (String(a.shape) !== String(b.shape)) return undefined;
  const left = valuesOf(await loadTensor(a));
  const right = valuesOf(await loadTensor(b));
  let different = 0;
  let largest = 0;
  let magnitude = 0;
  for (let i = 0; i < left.length; i++) {
    magnitude = Math.max(magnitude, Math.abs(left[i]) || 0);
    if (left[i] === right[i] || (Number.isNaN(left[i]) && Number.isNaN(right[i]))) continue;
    different++;
    const difference = Math.abs(left[i] - right[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return { different, elements: left.length, largest, relative: different === 0 ? 0 : largest / magnitude };
}

function valuesOf(tensor: HostTensor): Float32Array | Float64Array {
  if (tensor.dtype === 'float64') return tensor.data;
  if (tensor.dtype === 'int64') return Float64Array.from(tensor.data, Number);
  if (tensor.dtype === 'int32') return Float64Array.from(tensor.data);
  return toFloat32(tensor).data;
}
