/**
 * Modules in the engine <-> state dicts as PyTorch has them: OIHW filters, and batch norm's counters, which the engine does
 * not keep because they are the number of training steps.
 */

import type { HostTensor, LazyTensor } from '../core/array.js';
import { hostTensor, loadTensor, toFloat32 } from '../core/array.js';
import { RandomStream } from '../core/rng.js';
import type { Runtime } from '../engine/runtime.js';
import type { Variable } from '../engine/variable.js';
import type { ModuleStore, StateEntry } from '../nn/module-store.js';
import { hwioToOihw, matchStateDict, oihwToHwio, type StateDict } from './state-dict.js';

const COUNTER = '.num_batches_tracked';

/** Draws all initial values of a module from streams named by the variables: independent of any order. */
export async function initializeModule(store: ModuleStore, seed: number): Promise<void> {
  for (const { variable, shape, initialize, role } of store.entries) {
    const data = new Float32Array(variable.size);
    initialize(data, new RandomStream(seed, `init/${variable.name}`));
    await writeVariable(store.runtime, variable, role === 'conv', hostTensor('float32', shape, data));
  }
}

/**
 * The module's state dict. Tensors are read from the engine when they are asked for.
 *
 * @param batches the number of training steps so far
 */
export function moduleState(store: ModuleStore, batches: number): StateDict {
  const dict: StateDict = new Map();
  for (const entry of store.entries) {
    dict.set(entry.key, variableTensor(store.runtime, entry, entry.variable));
    if (entry.counter === undefined) continue;
    dict.set(entry.counter, hostTensor('int64', [], BigInt64Array.of(BigInt(batches))));
  }
  return dict;
}

/**
 * Fills a module, or the part of it under a prefix, from a state dict. Batch counters may be absent.
 *
 * @param where the file, for messages
 * @throws UserError listing missing, unexpected and misshapen tensors
 */
export async function loadModuleState(
  store: ModuleStore,
  dict: StateDict,
  where: string,
  prefix = '',
): Promise<void> {
  const entries = store.entries.filter(({ key }) => key.startsWith(prefix));
  const expected = new Map(entries.map(({ key, shape }) => [key, shape]));
  const found = new Map([...dict].filter(([key]) => !key.endsWith(COUNTER)));
  matchStateDict(expected, found, where);
  for (const { key, variable, role } of entries) {
    const source = found.get(key);
    if (source === undefined) throw new Error(`unreachable: ${key} was matched`);
    const tensor = toFloat32(await loadTensor(source));
    await writeVariable(store.runtime, variable, role === 'conv', tensor);
  }
}

/**
 * A variable as a lazy tensor of state-dict layout.
 *
 * @param entry the parameter's; a momentum buffer has its parameter's layout
 */
export function variableTensor(
  runtime: Runtime,
  { role, shape }: StateEntry,
  variable: Variable,
): LazyTensor {
  return {
    dtype: 'float32',
    shape,
    async load() {
      const data = (await runtime.read(variable)) as Float32Array;
      const tensor = hostTensor('float32', variable.shape, data);
      return role === 'conv' ? hwioToOihw(tensor) : tensor;
    },
  };
}

/** Writes a tensor of state-dict layout into a variable. */
export async function writeVariable(
  runtime: Runtime,
  variable: Variable,
  isFilter: boolean,
  tensor: HostTensor,
): Promise<void> {
  const { data } = isFilter ? oihwToHwio(tensor) : tensor;
  await runtime.write(variable, data as Float32Array);
}
