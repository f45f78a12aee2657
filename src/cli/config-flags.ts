/** The options that every command with a configuration has: `--config`, all leaves of the schema, and their reading. */

import type { Argv } from 'yargs';
import { shrinkForDebug } from '../config/debug.js';
import { findRecipe } from '../config/find-recipe.js';
import { CONFIG_FLAGS } from '../config/flags.js';
import { type ResolvedConfig, resolveConfig } from '../config/load.js';
import { withLog } from './log-flags.js';
import { declareFlags } from './unknown-flags.js';

export type Arguments = Record<string, unknown>;

/** The reference's README spells `--dataset/root` as `--data/root`. */
const FLAG_NAMES = [...CONFIG_FLAGS.map(({ flag }) => flag), 'data/root'];

/** Adds `--config`, the general options and one option for each leaf of the configuration. */
export function withConfig<T>(yargs: Argv<T>): Argv {
  declareFlags([...FLAG_NAMES, 'config', 'debug']);
  let result = withLog(yargs)
    .option('config', {
      type: 'string',
      demandOption: true,
      describe: 'YAML file, or the name of a recipe: one_machine, scrl_200ep, byol_200ep, ...',
      requiresArg: true,
    })
    .option('debug', { type: 'boolean', default: false, describe: 'a miniature schedule of two epochs' })
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
  const resolved = resolveConfig({ file: findRecipe(String(argv.config)), overrides });
  return argv.debug === true ? shrinkForDebug(resolved) : resolved;
}
