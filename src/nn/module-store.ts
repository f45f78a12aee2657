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
  /** Shape in the state dict (OIHW for filters). */
  readonly shape: readonly number[];
  readonly initialize: Initializer;
}

export class ModuleStore {
  readonly runtime: Runtime;
  /** Name of the module, the prefix of its variables. */
  readonly module: string;
  readonly entries: StateEntry[] = [];

  constructor(runtime: Runtime, module: string) {
    this.runtime = runtime;
    this.module = module;
  }

  /** Declares a parameter. @param shape as in the state dict */
  parameter(key: string, role: ParameterRole, shape: readonly number[], initialize: Initializer): Variable {
    return this.#declare(key, role, shape, initialize);
  }

  /** Declares state that is not optimised, e.g. running statistics. */
  buffer(key: string, shape: readonly number[], initialize: Initializer): Variable {
    return this.#declare(key, undefined, shape, initialize);
  }

  parameters(): StateEntry[] {
    return this.entries.filter(({ role }) => role !== undefined);
  }

  #declare(
    key: string,
    role: ParameterRole | undefined,
    shape: readonly number[],
    initialize: Initializer,
  ): Variable {
    const inside = role === 'conv' ? [shape[2], shape[3], shape[1], shape[0]] : shape;
    const variable = this.runtime.variable(`${this.module}.${key}`, inside);
    this.entries.push({ key, variable, role, shape, initialize });
    return variable;
  }
}
