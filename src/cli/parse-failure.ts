/** What yargs says about a command line that it cannot parse, as a mistake of the user. */

import { UserError } from '../core/errors.js';

/** Commands of other toolkits. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  train: 'pretrain, or detect train',
  predict: 'detect predict',
  val: 'detect eval',
  eval: 'linear, knn, or detect eval',
  export: 'convert',
};

/** Commands that have commands. */
const GROUPS = ['detect', 'data'];

/** What is said where a command is missing. */
export const NO_COMMAND = 'which command?';

const NO_VALUE = /^Not enough arguments following: (.*)$/;
const TOO_FEW = /^Not enough non-option arguments: got (\d+), need at least (\d+)$/;
const LIKELY = /^Did you mean (.*)\?$/;
const STRANGERS = /^Unknown (?:command|argument)s?: (.*)$/;

/**
 * @param args the whole command line, of which the first words name the command
 * @param error what was thrown, unless yargs only has a message
 * @param help of the command, which begins with how it is written
 */
export function parseFailure(
  message: string,
  error: Error | undefined,
  args: readonly string[],
  help: () => string,
): Error {
  // yargs throws its own errors where an option lacks its value, and what checks and handlers throw as it is.
  if (error !== undefined && error.name !== 'YError') return error;
  const words = commandIn(args);
  const remedy = `see: ${['scrl', ...words, '--help'].join(' ')}`;
  const [, option] = NO_VALUE.exec(message) ?? [];
  if (option !== undefined) return new UserError(`needs a value; ${remedy}`, { key: `--${option}` });
  const [, got, needed] = TOO_FEW.exec(message) ?? [];
  if (needed !== undefined) {
    const [form] = help().split('\n');
    return new UserError(`${got} of ${needed} arguments: ${form}`, { remedy });
  }
  const [, likely] = LIKELY.exec(message) ?? [];
  const [, strangers] = STRANGERS.exec(message) ?? [];
  if (likely !== undefined) return noCommand(words, likely);
  if (strangers === undefined) return new UserError(message, { remedy });
  if (strangers === words.at(-1)) return noCommand(words);
  return new UserError(`does not belong to \`scrl ${words.join(' ')}\`: ${strangers}`, {
    remedy: `options are written --KEY VALUE, for example --seed 1, and a value with blanks is quoted; ${remedy}`,
  });
}

/** @param likely what yargs found to be like it */
function noCommand(words: readonly string[], likely?: string): UserError {
  const word = words.at(-1) ?? '';
  const groups = words.slice(0, -1);
  const meant = groups.length === 0 && Object.hasOwn(ELSEWHERE, word) ? ELSEWHERE[word] : likely;
  const question = meant === undefined ? '' : `did you mean ${meant}? `;
  return new UserError(`${word} is no command`, {
    remedy: `${question}see: ${['scrl', ...groups, '--help'].join(' ')}`,
  });
}

/** The words of a command line that name its command, whether there is such a one or not. */
function commandIn(args: readonly string[]): string[] {
  const words = args.slice(0, GROUPS.includes(args[0]) ? 2 : 1);
  const end = words.findIndex((word) => word.startsWith('-'));
  return end < 0 ? words : words.slice(0, end);
}
