/** Modules that are only declared: names, shapes and order of state dicts need no engine. */

import { moduleState } from '../../src/checkpoint/module-state.js';
import { elementCount } from '../../src/core/array.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { ModuleStore, type StateEntry } from '../../src/nn/module-store.js';

/** A runtime whose variables are names and shapes. */
export function declaringRuntime(): Runtime {
  const variable = (name: string, shape: readonly number[]) => ({ name, shape, size: elementCount(shape) });
  const readAhead = () => ({});
  return { variable, readAhead } as unknown as Runtime;
}

export function declaredStore(): ModuleStore {
  return new ModuleStore(declaringRuntime(), 'model');
}

/** Names in the order of the state dict. */
export function stateKeys(store: ModuleStore): string[] {
  return [...moduleState(store, 0).keys()];
}

/** Elements of parameters. */
export function countElements(entries: readonly StateEntry[]): number {
  return entries.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}
