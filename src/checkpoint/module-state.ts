/**
 * Modules in the engine <-> state dicts as PyTorch has them: OIHW filters, and batch norm's counters, which the engine does
 * not keep because they are the number of training steps.
 */

import type { HostTensor, LazyTensor } from '../core/array.js';
import { hostTensor, loadTensor, toFloat32 } from '../core/array.js';
import { RandomStream } from '../core/rng.js';
import type { Runtime, VariableValue } from '../engine/runtime.js';
import type { Variable } from '../engine/variable.js';
import type { Layout } from '../nn/layout.js';
import type { ModuleStore, StateEntry } from '../nn/module-store.js';
import { matchStateDict, permute, type StateDict } from './state-dict.js';

const COUNTER = '.num_batches_tracked';

/** Draws all initial values of a module from streams named by the variables: independent of any order. */
export async function initializeModule(store: ModuleStore, seed: number): Promise<void> {
  await store.runtime.writeAll(initialValues(store, seed));
}

function* initialValues(store: ModuleStore, seed: number): Generator<VariableValue> {
  for (const { variable, shape, initialize, layout } of store.entries) {
    const data = new Float32Array(variable.size);
    initialize(data, new RandomStream(seed, `init/${variable.name}`));
    yield variableValue(variable, layout, hostTensor('float32', shape, data));
  }
}

/** Gives a module the values of another of the same structure. */
export async function copyModule(from: ModuleStore, to: ModuleStore): Promise<void> {
  await to.runtime.writeAll(valuesOf(from, to));
}

async function* valuesOf(from: ModuleStore, to: ModuleStore): AsyncGenerator<VariableValue> {
  const sources = from.entries.map(({ variable }) => variable);
  const reader = from.runtime.readAhead(sources);
  for (const [i, { variable }] of to.entries.entries()) yield [variable, await reader.read(sources[i])];
}

/**
 * The module's state dict. Tensors are read from the engine when they are asked for.
 *
 * @param batches the number of training steps so far
 */
export function moduleState(store: ModuleStore, batches: number): StateDict {
  const dict: StateDict = new Map();
  const reader = store.runtime.readAhead(store.entries.map(({ variable }) => variable));
  for (const entry of store.entries) {
    dict.set(entry.key, variableTensor(reader, entry, entry.variable));
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
  await store.runtime.writeAll(savedValues(entries, found));
}

async function* savedValues(entries: readonly StateEntry[], saved: StateDict): AsyncGenerator<VariableValue> {
  for (const { key, variable, layout } of entries) {
    const source = saved.get(key);
    if (source === undefined) throw new Error(`unreachable: ${key} was matched`);
    yield variableValue(variable, layout, toFloat32(await loadTensor(source)));
  }
}

/**
 * A variable as a lazy tensor of state-dict layout.
 *
 * @param reader a runtime, or what reads ahead
 * @param entry the parameter's; a momentum buffer has its parameter's layout
 */
export function variableTensor(
  reader: Pick<Runtime, 'read'>,
  { layout, shape }: StateEntry,
  variable: Variable,
): LazyTensor {
  return {
    dtype: 'float32',
    shape,
    async load() {
      const data = (await reader.read(variable)) as Float32Array;
      return hostTensor('float32', shape, layout === undefined ? data : toStateDict(data, layout));
    },
  };
}

function toStateDict(data: Float32Array, { view, axes }: Layout): Float32Array {
  const inside = hostTensor(
    'float32',
    axes.map((axis) => view[axis]),
    data,
  );
  return permute(
    inside,
    view.map((_, axis) => axes.indexOf(axis)),
  ).data as Float32Array;
}

/** A tensor of state-dict layout as what a variable is to hold. */
export function variableValue(
  variable: Variable,
  layout: Layout | undefined,
  { data }: HostTensor,
): VariableValue {
  if (layout === undefined) return [variable, data as Float32Array];
  const view = hostTensor('float32', layout.view, data as Float32Array);
  return [variable, permute(view, layout.axes).data as Float32Array];
}
