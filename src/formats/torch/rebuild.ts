/**
 * Builders for what PyTorch puts into pickles: tensors, parameters, sizes, devices.
 *
 * Tensors of element types that we do not have (complex, quantised, sparse, float8) stay opaque and do not keep the others
 * from being read. Hooks, gradients, devices and subclasses are dropped. Source of the argument orders: torch/_utils.py.
 */

import { DTYPES, type DType, rowMajorStrides } from '../../core/array.js';
import { BUILTIN_BUILDERS, itemsOf } from '../pickle/builtins.js';
import type { Builder } from '../pickle/machine.js';
import { NUMPY_BUILDERS, naturalNumbers } from '../pickle/numpy.js';
import {
  type Budget,
  MalformedPickle,
  type PickleValue,
  PyGlobal,
  PyOpaque,
  PyTuple,
} from '../pickle/values.js';
import { Storage, StoredTensor } from './storage.js';

const REBUILD_FROM_TYPE = 'torch._tensor._rebuild_from_type_v2';
const MOST_TENSORS = 100_000;

const DTYPE_OF_GLOBAL = new Map<string, DType>(DTYPES.map((dtype) => [`torch.${dtype}`, dtype]));

/** The table for one file. @param budget pays for the bytes of all tensors together */
export function torchBuilders(budget: Budget): ReadonlyMap<string, Builder> {
  let tensors = 0;

  function tensor(args: readonly PickleValue[], type: PickleValue): PickleValue {
    const [storage, offset, size, strides] = args;
    if (!(storage instanceof Storage)) {
      if (storage instanceof PyOpaque) return new PyOpaque(`torch.Tensor in ${storage.name}`, args);
      throw new MalformedPickle('builds a tensor of something that is no storage');
    }
    const dtype = type instanceof PyGlobal ? DTYPE_OF_GLOBAL.get(type.name) : storage.dtype;
    if (dtype === undefined) {
      return new PyOpaque(`torch.Tensor of ${type instanceof PyGlobal ? type.name : 'bytes'}`, args);
    }
    if (typeof offset !== 'number') throw new MalformedPickle('builds a tensor without an offset');
    if (++tensors > MOST_TENSORS) throw new MalformedPickle(`holds more than ${MOST_TENSORS} tensors`);
    const shape = naturalNumbers(size);
    const steps = strides === undefined ? rowMajorStrides(shape) : naturalNumbers(strides);
    return new StoredTensor(storage, dtype, offset, shape, steps, budget);
  }

  const fromType: Builder = ([build = null, , args = null], call) => {
    // Within itself it would nest without end.
    if (build instanceof PyGlobal && build.name === REBUILD_FROM_TYPE)
      throw new MalformedPickle('rebuilds in circles');
    return call.reduce(build, itemsOf(args));
  };

  const first: Builder = ([value]) => {
    if (value === undefined) throw new MalformedPickle('builds a parameter of nothing');
    return value;
  };

  return new Map<string, Builder>([
    ...BUILTIN_BUILDERS,
    ...NUMPY_BUILDERS,
    ['torch._utils._rebuild_tensor', (args) => tensor(args, null)],
    ['torch._utils._rebuild_tensor_v2', (args) => tensor(args, null)],
    // ..., requires_grad, hooks, dtype, metadata
    ['torch._utils._rebuild_tensor_v3', (args) => tensor(args, args[6])],
    ['torch._utils._rebuild_parameter', first],
    ['torch._utils._rebuild_parameter_with_state', first],
    // A subclass, or a tensor with attributes of its own: function, class, arguments, state.
    [REBUILD_FROM_TYPE, fromType],
    ['torch.Size', ([sizes = new PyTuple([])]) => new PyTuple(itemsOf(sizes))],
    ['torch.device', device],
  ]);
}

/** `cuda:0` of ("cuda", 0). */
const device: Builder = (parts) => {
  const known = parts.every((part) => typeof part === 'string' || typeof part === 'number');
  return known ? parts.join(':') : new PyOpaque('torch.device', parts);
};

/** A persistent id: ("storage", class, key, location, count, ...). The location, a device, does not matter here. */
export interface StorageId {
  readonly className: string;
  readonly key: string;
  readonly count: number;
  /** What follows; only the format before 1.6 has it. */
  readonly viewed: PickleValue;
}

export function parseStorageId(id: PickleValue): StorageId {
  const [kind, type, key, , count, viewed = null] = id instanceof PyTuple ? id.items : [];
  const sound =
    kind === 'storage' &&
    type instanceof PyGlobal &&
    typeof key === 'string' &&
    typeof count === 'number' &&
    count >= 0;
  if (!sound) throw new MalformedPickle('refers to a storage in a way that is not known');
  return { className: type.name, key, count, viewed };
}

export const UNTYPED_STORAGE = 'torch.storage.UntypedStorage';
