/** Options that a command does not have: all at once, each with the one that was probably meant. */

import type { Argv } from 'yargs';
import { nearestPath } from '../config/suggest.js';
import { UserError } from '../core/errors.js';
import { foreignHint } from './foreign-flags.js';

/** Names that a command has declared, and other names for them. */
interface Declared {
  readonly key: Readonly<Record<string, unknown>>;
  readonly alias: Readonly<Record<string, readonly string[]>>;
}

/**
 * @param parser whose `getOptions` the types of yargs leave out
 * @throws UserError
 */
export function rejectUnknownFlags(argv: Record<string, unknown>, parser: Argv): void {
  const { key, alias } = (parser as Argv & { getOptions(): Declared }).getOptions();
  const options = Object.keys(key);
  // Positionals are among the aliases only.
  const known = new Set(['_', '$0', ...options, ...Object.entries(alias).flat(2)]);
  const unknown = Object.keys(argv).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const lines = unknown.map((name) => {
    const hint = foreignHint(name, options) ?? nearestHint(name, options);
    return `  --${name}${hint === undefined ? '' : `: ${hint}`}`;
  });
  throw new UserError(`unknown option${unknown.length > 1 ? 's' : ''}\n${lines.join('\n')}`, {
    remedy: 'see the command with --help',
  });
}

function nearestHint(name: string, options: readonly string[]): string | undefined {
  const likely = nearestPath(name, options);
  return likely === undefined ? undefined : `did you mean --${likely}?`;
}
