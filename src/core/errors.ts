/**
 * What a user can get wrong, as opposed to what we got wrong.
 *
 * A `UserError` is a mistake in input, configuration or environment: the command line prints its message without a
 * stack and exits with 2. Everything else that is thrown is a bug: stack shown, exit code 1.
 */

import { visibleLine } from './visible.js';

export interface UserErrorDetails {
  /** File (with line and column where known), flag, or folder in which the mistake is. */
  where?: string;
  /** Configuration key, column, tensor name: what is wrong. */
  key?: string;
  /** The value that was found. */
  value?: unknown;
  /** What to do about it, as an instruction. */
  remedy?: string;
  cause?: unknown;
}

/** A mistake that the user can mend. `message` holds the whole text: place, key, value and remedy. */
export class UserError extends Error {
  /** What is wrong, without place and remedy. */
  readonly problem: string;
  readonly details: UserErrorDetails;

  constructor(problem: string, details: UserErrorDetails = {}) {
    super(formatUserError(problem, details), details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'UserError';
    this.problem = problem;
    this.details = details;
  }

  /** The same mistake, said by somebody who knows more of it. A remedy comes behind the one that is there. */
  with({ remedy, ...details }: UserErrorDetails): UserError {
    const remedies = [this.details.remedy, remedy].filter((text) => text !== undefined);
    const all = remedies.length === 0 ? {} : { remedy: remedies.join('\n  ') };
    return new UserError(this.problem, { ...this.details, ...details, ...all, cause: this });
  }
}

function formatUserError(problem: string, { where, key, value, remedy }: UserErrorDetails): string {
  const place = where === undefined ? '' : `${visibleLine(where)}: `;
  const subject = key === undefined ? '' : `${visibleLine(key)}: `;
  const found = value === undefined ? '' : ` (found ${formatValue(value)})`;
  return `${place}${subject}${problem}${found}${remedy === undefined ? '' : `\n  ${remedy}`}`;
}

function formatValue(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}` : JSON.stringify(value);
  if (text === undefined) return String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True when `error` is a Node system error with this code, e.g. `ENOENT`, `ENOSPC`. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Closes a `switch` over a union of strings: does not compile when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
