/**
 * Reads variables one after another, but fetches neighbours together: TensorFlow prepares each call that it has not seen
 * before by a walk over the whole graph. One call for each of a pretraining's 300 variables took longer than all else that
 * the first checkpoint needs.
 */

import { type ElementArray, elementBytes } from '../tensorflow/dtype.js';
import type { Runtime } from './runtime.js';
import type { Variable } from './variable.js';

export class ReadAhead {
  readonly #runtime: Runtime;
  readonly #groups: readonly (readonly Variable[])[];
  #held = new Map<Variable, ElementArray>();
  #heldSince = -1;

  /** Use `Runtime.readAhead`. */
  constructor(runtime: Runtime, variables: readonly Variable[], limit: number) {
    this.#runtime = runtime;
    this.#groups = groupsOf(variables, limit);
  }

  /** The value, as `Runtime.read` gives it: what was fetched before anything else ran is fetched again. */
  async read(variable: Variable): Promise<ElementArray> {
    if (this.#heldSince !== this.#runtime.calls || !this.#held.has(variable)) await this.#fetch(variable);
    const data = this.#held.get(variable);
    if (data === undefined) return this.#runtime.read(variable);
    // Given away: the next who asks must not see what this one does to it.
    this.#held.delete(variable);
    return data;
  }

  async #fetch(variable: Variable): Promise<void> {
    const group = this.#groups.find((members) => members.includes(variable)) ?? [variable];
    const reading = this.#runtime.readAll(group);
    const since = this.#runtime.calls;
    const values = await reading;
    this.#held = new Map(group.map((member, i) => [member, values[i]]));
    this.#heldSince = since;
  }
}

/** Neighbours of together about `limit` bytes; a larger one stands alone. */
function groupsOf(variables: readonly Variable[], limit: number): Variable[][] {
  const groups: Variable[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const variable of variables) {
    const size = variable.size * elementBytes(variable.type);
    if (bytes + size > limit) [groups[groups.length], bytes] = [[], 0];
    groups[groups.length - 1].push(variable);
    bytes += size;
  }
  return groups;
}
