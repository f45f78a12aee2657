/** What yargs says about a command line that it cannot parse, as a mistake of the user. */

import { UserError } from '../core/errors.js';

const NO_VALUE = /^Not enough arguments following: (.*)$/;

/**
 * @param args the whole command line, of which the first word names the command
 * @param error what was thrown, unless yargs only has a message
 */
export function parseFailure(message: string, error: Error | undefined, args: readonly string[]): Error {
  // yargs throws its own errors where an option lacks its value, and what checks and handlers throw as it is.
  if (error !== undefined && error.name !== 'YError') return error;
  const remedy = `see: scrl ${commandIn(args)}--help`;
  const [, option] = NO_VALUE.exec(message) ?? [];
  if (option === undefined) return new UserError(message, { remedy });
  return new UserError(`needs a value; ${remedy}`, { key: `--${option}` });
}

function commandIn([first = '-']: readonly string[]): string {
  return first.startsWith('-') ? '' : `${first} `;
}
