/** How much a command says, and how: options that all of them have. */

import type { Argv } from 'yargs';
import { Console, type LogLevel } from '../report/console.js';

/** Adds `--no_pbar` and `--log_level`. */
export function withLog<T>(yargs: Argv<T>): Argv<T> {
  return yargs
    .option('no_pbar', { type: 'boolean', default: false, describe: 'plain lines instead of a progress bar' })
    .option('log_level', {
      choices: ['warn', 'info', 'debug'] as const,
      default: 'info' as const,
      describe: 'how much is said',
    }) as Argv<T>;
}

/** What `withLog` asked for. Standard output stays free for results. */
export function openConsole(argv: object): Console {
  const { no_pbar: plain, log_level: level } = argv as { no_pbar?: boolean; log_level?: LogLevel };
  return new Console(process.stderr, { ...(level && { level }), live: plain !== true });
}
