/**
 * The parameters and buffers of one module (online network, predictor, ...) under their PyTorch state-dict names.
 *
 * Layers declare what they need here; the solver asks for the parameters, checkpoints for the whole state. Filters are
 * HWIO inside TensorFlow and OIHW in state dicts (`layout.ts`); linear weights are [out, in] in both.
 */

import type { Runtime } from '../engine/runtime.js';
import type { Variable } from '../engine/variable.js';
import type { Initializer } from './init.js';
import { filterLayout, type Layout } from './layout.js';

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
  /** Undefined where the variable is as the state dict. */
  readonly layout: Layout | undefined;
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

  /** Declares a parameter. @param shape as in the state dict @param layout default that of its role */
  parameter(
    key: string,
    role: ParameterRole,
    shape: readonly number[],
    initialize: Initializer,
    layout = role === 'conv' ? filterLayout(shape) : undefined,
  ): Variable {
    return this.#declare({ key, role, trained: !this.isFrozen, shape, initialize, layout });
  }

  /** Declares state that is not optimised, e.g. running statistics. @param counter see `StateEntry` */
  buffer(key: string, shape: readonly number[], initialize: Initializer, counter?: string): Variable {
    const entry = { key, role: undefined, trained: false, shape, initialize, layout: undefined };
    return this.#declare(counter === undefined ? entry : { ...entry, counter });
  }

  /** What the solver trains. */
  parameters(): StateEntry[] {
    return this.entries.filter(({ trained }) => trained);
  }

  #declare(entry: Omit<StateEntry, 'variable'>): Variable {
    const { key, shape, layout } = entry;
    const variable = this.runtime.variable(`${this.module}.${key}`, layout?.inside ?? shape);
    this.entries.push({ ...entry, variable });
    return variable;
  }
}
