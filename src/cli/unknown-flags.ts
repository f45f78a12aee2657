/** Options that a command does not have: all at once, each with the one that was probably meant. */

import { nearestPath } from '../config/suggest.js';
import { UserError } from '../core/errors.js';

/** What yargs hands a check beside the arguments: names that the command has declared, and other names for them. */
interface Declared {
  readonly key: Readonly<Record<string, unknown>>;
  readonly alias: Readonly<Record<string, readonly string[]>>;
}

/**
 * A yargs check.
 *
 * @throws UserError
 */
export function rejectUnknownFlags(argv: Record<string, unknown>, declared: unknown): true {
  const { key, alias } = declared as Declared;
  const options = Object.keys(key);
  // Positionals are among the aliases only.
  const known = new Set(['_', '$0', ...options, ...Object.entries(alias).flat(2)]);
  const unknown = Object.keys(argv).filter((name) => !known.has(name));
  if (unknown.length === 0) return true;
  const lines = unknown.map((name) => {
    const likely = nearestPath(name, options);
    return `  --${name}${likely === undefined ? '' : `: did you mean --${likely}?`}`;
  });
  throw new UserError(`unknown option${unknown.length > 1 ? 's' : ''}\n${lines.join('\n')}`, {
    remedy: 'see the command with --help',
  });
}
