/** Modules that are only declared: names, shapes and order of state dicts need no engine. */

import { moduleState } from '../../src/checkpoint/module-state.js';
import { elementCount } from '../../src/core/array.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { ModuleStore, type StateEntry } from '../../src/nn/module-store.js';

/** A module whose variables are names and shapes. */
export function declaredStore(module = 'model'): ModuleStore {
  const variable = (name: string, shape: readonly number[]) => ({ name, shape, size: elementCount(shape) });
  const readAhead = () => ({});
  return new ModuleStore({ variable, readAhead } as unknown as Runtime, module);
}

/** Names in the order of the state dict. */
export function stateKeys(store: ModuleStore): string[] {
  return [...moduleState(store, 0).keys()];
}

/** Elements of parameters. */
export function countElements(entries: readonly StateEntry[]): number {
  return entries.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}
