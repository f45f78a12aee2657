/** The options that every command with a configuration has: `--config`, all leaves of the schema, and their reading. */

import type { Argv } from 'yargs';
import { shrinkForDebug } from '../config/debug.js';
import { CONFIG_FLAGS } from '../config/flags.js';
import { type ResolvedConfig, resolveConfig } from '../config/load.js';
import { Console, type LogLevel } from '../report/console.js';
import { declareFlags } from './unknown-flags.js';

export type Arguments = Record<string, unknown>;

/** The reference's README spells `--dataset/root` as `--data/root`. */
const FLAG_NAMES = [...CONFIG_FLAGS.map(({ flag }) => flag), 'data/root'];

/** Adds `--config`, the general options and one option for each leaf of the configuration. */
export function withConfig<T>(yargs: Argv<T>): Argv {
  declareFlags([...FLAG_NAMES, 'config', 'no_pbar', 'log_level', 'debug']);
  let result = yargs
    .option('config', {
      type: 'string',
      demandOption: true,
      describe: 'YAML file of the recipe',
      requiresArg: true,
    })
    .option('debug', { type: 'boolean', default: false, describe: 'a miniature schedule of two epochs' })
    .option('no_pbar', { type: 'boolean', default: false, describe: 'plain lines instead of a progress bar' })
    .option('log_level', {
      choices: ['warn', 'info', 'debug'] as const,
      default: 'info' as const,
      describe: 'how much is said',
    })
    .option('data/root', {
      type: 'string',
      describe: 'the same as --dataset/root',
      requiresArg: true,
    }) as Argv;
  for (const { flag, description } of CONFIG_FLAGS) {
    result = result.option(flag, {
      type: 'string',
      describe: description,
      requiresArg: true,
      group: 'Configuration (beats the file):',
    });
  }
  return result;
}

/** @throws UserError with all mistakes at once */
export async function readConfig(argv: Arguments): Promise<ResolvedConfig> {
  const overrides = Object.fromEntries(FLAG_NAMES.map((name) => [name, argv[name]]));
  const resolved = resolveConfig({ file: String(argv.config), overrides });
  return argv.debug === true ? shrinkForDebug(resolved) : resolved;
}

export function openConsole(argv: Arguments): Console {
  return new Console(process.stderr, { level: argv.log_level as LogLevel, live: argv.no_pbar !== true });
}
