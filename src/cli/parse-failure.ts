/** What yargs says about a command line that it cannot parse, as a mistake of the user. */

import { UserError } from '../core/errors.js';

/** What is said where a command is missing. */
export const NO_COMMAND = 'which command?';

const NO_VALUE = /^Not enough arguments following: (.*)$/;
const LIKELY = /^Did you mean (.*)\?$/;
const STRANGERS = /^Unknown (?:command|argument)s?: (.*)$/;

/**
 * @param args the whole command line, of which the first words name the command
 * @param error what was thrown, unless yargs only has a message
 */
export function parseFailure(message: string, error: Error | undefined, args: readonly string[]): Error {
  // yargs throws its own errors where an option lacks its value, and what checks and handlers throw as it is.
  if (error !== undefined && error.name !== 'YError') return error;
  const command = commandIn(args);
  const remedy = `see: scrl ${command}--help`;
  const [, option] = NO_VALUE.exec(message) ?? [];
  if (option !== undefined) return new UserError(`needs a value; ${remedy}`, { key: `--${option}` });
  const [, likely] = LIKELY.exec(message) ?? [];
  if (likely !== undefined) {
    const [word, parent] = args[0] === 'detect' ? [args[1], 'detect '] : [args[0], ''];
    return new UserError(`${word} is no command`, {
      remedy: `did you mean ${likely}? see: scrl ${parent}--help`,
    });
  }
  const [, strangers] = STRANGERS.exec(message) ?? [];
  if (strangers === undefined || command === '') return new UserError(message, { remedy });
  return new UserError(`does not belong to \`scrl ${command.trim()}\`: ${strangers}`, {
    remedy: `options are written --KEY VALUE, for example --seed 1, and a value with blanks is quoted; ${remedy}`,
  });
}

function commandIn([first = '-', second = '-']: readonly string[]): string {
  if (first.startsWith('-')) return '';
  return first === 'detect' && !second.startsWith('-') ? `${first} ${second} ` : `${first} `;
}
