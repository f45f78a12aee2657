/**
 * The parameters and buffers of one module (online network, predictor, ...) under their PyTorch state-dict names.
 *
 * Layers declare what they need here; the solver asks for the parameters, checkpoints for the whole state. Filters are
 * HWIO inside TensorFlow and OIHW in state dicts; linear weights are [out, in] in both.
 */

import type { Runtime } from '../engine/runtime.js';
import type { Variable } from '../engine/variable.js';
import type { Initializer } from './init.js';

/** What a parameter is, which decides on weight decay and layer-wise rates. */
export type ParameterRole = 'conv' | 'linear' | 'bias' | 'norm-weight' | 'norm-bias';

export interface StateEntry {
  /** Key in the module's state dict, e.g. `encoder.4.0.conv1.weight`. */
  readonly key: string;
  readonly variable: Variable;
  /** Undefined for buffers: they are saved but not optimised. */
  readonly role: ParameterRole | undefined;
  /** False for buffers, and for the parameters of frozen layers: they get no gradient. */
  readonly trained: boolean;
  /** Shape in the state dict (OIHW for filters). */
  readonly shape: readonly number[];
  readonly initialize: Initializer;
  /** Key of the counter of batches that comes behind this entry in state dicts; the engine keeps none. */
  readonly counter?: string;
}

export class ModuleStore {
  readonly runtime: Runtime;
  /** Name of the module, the prefix of its variables. */
  readonly module: string;
  readonly entries: StateEntry[];
  /** Whether the layers that are declared here are frozen. */
  readonly isFrozen: boolean;

  constructor(
    runtime: Runtime,
    module: string,
    part: Partial<Pick<ModuleStore, 'entries' | 'isFrozen'>> = {},
  ) {
    const { entries = [], isFrozen = false } = part;
    this.runtime = runtime;
    this.module = module;
    this.entries = entries;
    this.isFrozen = isFrozen;
  }

  /** The same module for layers that are not trained: their parameters are saved, but not optimised. */
  frozen(): ModuleStore {
    return new ModuleStore(this.runtime, this.module, { entries: this.entries, isFrozen: true });
  }

  /** Declares a parameter. @param shape as in the state dict */
  parameter(key: string, role: ParameterRole, shape: readonly number[], initialize: Initializer): Variable {
    return this.#declare({ key, role, trained: !this.isFrozen, shape, initialize });
  }

  /** Declares state that is not optimised, e.g. running statistics. @param counter see `StateEntry` */
  buffer(key: string, shape: readonly number[], initialize: Initializer, counter?: string): Variable {
    const entry = { key, role: undefined, trained: false, shape, initialize };
    return this.#declare(counter === undefined ? entry : { ...entry, counter });
  }

  /** What the solver trains. */
  parameters(): StateEntry[] {
    return this.entries.filter(({ trained }) => trained);
  }

  #declare(entry: Omit<StateEntry, 'variable'>): Variable {
    const { key, role, shape } = entry;
    const inside = role === 'conv' ? [shape[2], shape[3], shape[1], shape[0]] : shape;
    const variable = this.runtime.variable(`${this.module}.${key}`, inside);
    this.entries.push({ ...entry, variable });
    return variable;
  }
}
