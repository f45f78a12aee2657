/** Collects everything that is wrong with a configuration, so that one run reports it all. */

import { UserError, type UserErrorDetails } from '../core/errors.js';

export class Problems {
  readonly #errors: UserError[] = [];
  readonly #keys = new Set<string>();

  /** A value that is no scalar may be cyclic (YAML aliases) and is described instead of printed. */
  add(problem: string, { value, ...details }: UserErrorDetails): void {
    if (details.key !== undefined) this.#keys.add(details.key);
    const shown = value === undefined ? {} : { value: printable(value) };
    this.#errors.push(new UserError(problem, { ...details, ...shown }));
  }

  /** Whether something is wrong with this key. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** @throws UserError with all problems, if there are any */
  throwIfAny(): void {
    if (this.#errors.length === 0) return;
    if (this.#errors.length === 1) throw this.#errors[0];
    const list = this.#errors.map((error) => `  ${error.message.replaceAll('\n', '\n  ')}`);
    throw new UserError([`${list.length} problems in the configuration`, ...list].join('\n'));
  }
}

function printable(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  const flat = Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
  return flat ? value : Array.isArray(value) ? 'a list' : 'a mapping';
}
