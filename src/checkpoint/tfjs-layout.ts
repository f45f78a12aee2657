/**
 * State dicts as TensorFlow.js has them, and back: filters HWIO, linear weights [in, out], counters in 32 bits.
 *
 * The folder's metadata says that this was done, and to which tensors, so that reading restores every bit.
 */

import { type HostTensor, hostTensor, loadTensor, type TensorSource } from '../core/array.js';
import { UserError } from '../core/errors.js';
import { hwioToOihw, oihwToHwio, type StateDict, transposeLinear } from './state-dict.js';

type Metadata = ReadonlyMap<string, string>;

const LAYOUT_KEY = 'layout';
const LAYOUT = 'HWIO, [in, out]';
/** Names of the tensors that were int64, separated by blanks. */
const WIDE_KEY = 'int64';

/** From PyTorch's layout. @throws UserError when an integer does not fit into 32 bits, on loading */
export function toTfjs(dict: StateDict, metadata: Metadata): { tensors: StateDict; metadata: Metadata } {
  const wide = [...dict].filter(([, { dtype }]) => dtype === 'int64').map(([key]) => key);
  const tensors = new Map(
    [...dict].map(([key, source]) => [
      key,
      source.dtype === 'int64' ? narrowed(key, source) : turned(source, oihwToHwio, [2, 3, 1, 0]),
    ]),
  );
  return { tensors, metadata: new Map([...metadata, [LAYOUT_KEY, LAYOUT], [WIDE_KEY, wide.join(' ')]]) };
}

/** To PyTorch's layout, of a folder that `toTfjs` prepared; any other as it is. */
export function fromTfjs(dict: StateDict, metadata: Metadata): StateDict {
  if (metadata.get(LAYOUT_KEY) !== LAYOUT) return dict;
  const wide = new Set(metadata.get(WIDE_KEY)?.split(' '));
  return new Map(
    [...dict].map(([key, source]) => [
      key,
      wide.has(key) ? widened(source) : turned(source, hwioToOihw, [3, 2, 0, 1]),
    ]),
  );
}

function turned(
  source: TensorSource,
  filters: (tensor: HostTensor) => HostTensor,
  axes: readonly number[],
): TensorSource {
  const { dtype, shape } = source;
  if (shape.length === 4) {
    const newShape = axes.map((axis) => shape[axis]);
    return { dtype, shape: newShape, load: async () => filters(await loadTensor(source)) };
  }
  if (shape.length !== 2) return source;
  return { dtype, shape: [shape[1], shape[0]], load: async () => transposeLinear(await loadTensor(source)) };
}

function narrowed(key: string, source: TensorSource): TensorSource {
  const { shape } = source;
  return {
    dtype: 'int32',
    shape,
    async load() {
      const values = Array.from((await loadTensor(source)).data, Number);
      const tooLarge = values.find((value) => value !== (value | 0));
      if (tooLarge !== undefined) {
        throw new UserError('does not fit into the 32 bits of TensorFlow.js', { key, value: tooLarge });
      }
      return hostTensor('int32', shape, Int32Array.from(values));
    },
  };
}

function widened(source: TensorSource): TensorSource {
  const { shape } = source;
  return {
    dtype: 'int64',
    shape,
    load: async () =>
      hostTensor('int64', shape, BigInt64Array.from((await loadTensor(source)).data as Int32Array, BigInt)),
  };
}
