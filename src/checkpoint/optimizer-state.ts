/**
 * The solver's memory <-> the state dict of torch's optimizer: momentum buffers by number, and groups of parameters with the
 * same settings, through which the numbers run.
 */

import { loadTensor, toFloat32 } from '../core/array.js';
import { UserError } from '../core/errors.js';
import type { Runtime, VariableValue } from '../engine/runtime.js';
import type { Variable } from '../engine/variable.js';
import { type FileDict, type FileValue, float } from '../formats/value.js';
import type { StateEntry } from '../nn/module-store.js';
import { variableTensor, variableValue } from './module-state.js';
import { stateDictOf } from './state-dict.js';

/** A trained parameter and its momentum buffer, which has the parameter's layout. */
export interface Momentum {
  readonly entry: StateEntry;
  readonly buffer: Variable;
}

export interface ParameterGroup {
  readonly members: readonly Momentum[];
  /** `lr`, `momentum`, ... under torch's names. */
  readonly settings: Readonly<Record<string, FileValue>>;
}

const KEY = 'optimizer_state_dict';

/** Two groups of parameters in their order: those of which it holds, and the others. */
export function twoGroups<M extends Momentum>(
  trained: readonly M[],
  holds: (parameter: M) => boolean,
): { holds: boolean; members: M[] }[] {
  return [true, false].map((wanted) => ({
    holds: wanted,
    members: trained.filter((parameter) => holds(parameter) === wanted),
  }));
}

export interface SgdSettings {
  rate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/** Settings of a group under the names of torch's SGD. */
export function sgdSettings({
  rate,
  momentum,
  weightDecay,
  nesterov,
}: SgdSettings): Record<string, FileValue> {
  return {
    lr: float(rate),
    momentum: float(momentum),
    dampening: 0,
    weight_decay: float(weightDecay),
    nesterov,
  };
}

/** Buffers by number, as under `state`. Tensors are read from the engine when they are asked for. */
export function momentumState(runtime: Runtime, members: readonly Momentum[]): FileDict {
  const reader = runtime.readAhead(members.map(({ buffer }) => buffer));
  return new Map(
    members.map(({ entry, buffer }, number) => [
      number,
      new Map([['momentum_buffer', variableTensor(reader, entry, buffer)]]),
    ]),
  );
}

/** @param step number of steps done; before the first, torch's SGD has no buffers */
export function optimizerState(runtime: Runtime, groups: readonly ParameterGroup[], step: number): FileDict {
  let count = 0;
  const described = groups.map(({ members, settings }) => {
    const params = members.map(() => count++);
    return new Map<string, FileValue>([...Object.entries(settings), ['params', params]]);
  });
  const members = groups.flatMap((group) => group.members);
  return new Map<string, FileValue>([
    ['state', step === 0 ? new Map() : momentumState(runtime, members)],
    ['param_groups', described],
  ]);
}

export interface LoadOptimizerOptions {
  /** The file, for messages. */
  readonly where: string;
  /** Number of steps done when it was saved. */
  readonly step: number;
  /** What to do when it is another run's. */
  readonly remedy?: string;
}

/**
 * Fills the momentum buffers from a checkpoint's `optimizer_state_dict`; zeros where it has none.
 *
 * @param members in the order of the numbers
 * @throws UserError when there is no state, or it is that of other parameters
 */
export async function loadOptimizerState(
  runtime: Runtime,
  members: readonly Momentum[],
  checkpoint: FileDict,
  { where, step, remedy = 'resume with the configuration of that run' }: LoadOptimizerOptions,
): Promise<void> {
  const optimizer = checkpoint.get(KEY);
  const state = optimizer instanceof Map ? optimizer.get('state') : undefined;
  if (!(state instanceof Map)) {
    throw new UserError('has no optimizer state', {
      where,
      key: KEY,
      remedy: 'it can serve as initial weights, but a run cannot be resumed from it',
    });
  }
  if (step > 0 && state.size !== members.length) {
    throw new UserError(`has ${state.size} momentum buffers, but ${members.length} parameters are trained`, {
      where,
      key: KEY,
      remedy,
    });
  }
  await runtime.writeAll(savedMomentum(members, state, where));
}

async function* savedMomentum(
  members: readonly Momentum[],
  state: FileDict,
  where: string,
): AsyncGenerator<VariableValue> {
  for (const [number, { entry, buffer }] of members.entries()) {
    const saved = state.get(number);
    if (saved === undefined) {
      yield [buffer, new Float32Array(buffer.size)];
      continue;
    }
    const source = stateDictOf(saved, `${where}, ${KEY}`).get('momentum_buffer');
    if (source === undefined || String(source.shape) !== String(entry.shape)) {
      throw new UserError(`momentum buffer ${number} does not fit ${entry.key} [${entry.shape.join(', ')}]`, {
        where,
        key: KEY,
        remedy: 'resume with the configuration of that run',
      });
    }
    yield variableValue(buffer, entry.layout, toFloat32(await loadTensor(source)));
  }
}
