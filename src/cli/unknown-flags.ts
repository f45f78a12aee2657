import { UserError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';

/** Options of the command that is being parsed; each command adds its own. */
const known = new Set(['_', '$0', 'help', 'h', 'version']);

export function declareFlags(names: Iterable<string>): void {
  for (const name of names) known.add(name);
}

/**
 * A yargs check: all unknown options at once, each with the nearest known one.
 *
 * @throws UserError
 */
export function rejectUnknownFlags(argv: Record<string, unknown>): true {
  const unknown = Object.keys(argv).filter((name) => !known.has(name));
  if (unknown.length === 0) return true;
  const lines = unknown.map((name) => {
    const likely = nearest(name, known);
    return `  --${name}${likely === undefined ? '' : `: did you mean --${likely}?`}`;
  });
  throw new UserError(`unknown option${unknown.length > 1 ? 's' : ''}\n${lines.join('\n')}`, {
    remedy: 'see the command with --help',
  });
}
