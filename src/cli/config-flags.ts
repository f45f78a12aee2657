/** The options that every command with a configuration has: `--config`, all leaves of the schema, and their reading. */

import type { Argv } from 'yargs';
import { CONFIG_FLAGS } from '../config/flags.js';
import { type ResolvedConfig, resolveConfig } from '../config/load.js';
import { Console, type LogLevel } from '../report/console.js';
import { declareFlags } from './unknown-flags.js';

export type Arguments = Record<string, unknown>;

/** Adds `--config`, the general options and one option for each leaf of the configuration. */
export function withConfig<T>(yargs: Argv<T>) {
  declareFlags(CONFIG_FLAGS.map(({ flag }) => flag));
  declareFlags(['config', 'no_pbar', 'log_level', 'data/root']);
  let result = yargs
    .option('config', { type: 'string', demandOption: true, describe: 'YAML file of the recipe', requiresArg: true })
    .option('no_pbar', { type: 'boolean', default: false, describe: 'plain lines instead of a progress bar' })
    .option('log_level', {
      choices: ['warn', 'info', 'debug'] as const,
      default: 'info' as const,
      describe: 'how much is said',
    })
    .option('data/root', { type: 'string', describe: 'the same as --dataset/root', requiresArg: true }) as Argv;
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
  const names = [...CONFIG_FLAGS.map(({ flag }) => flag), 'data/root'];
  const given = names.filter((name) => argv[name] !== undefined).map((name) => [name, argv[name]] as const);
  return resolveConfig({ file: String(argv.config), overrides: Object.fromEntries(given) });
}

export function openConsole(argv: Arguments): Console {
  return new Console(process.stderr, { level: argv.log_level as LogLevel, live: argv.no_pbar !== true });
}
