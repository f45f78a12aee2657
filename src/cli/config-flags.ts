/** The options that every command with a configuration has: `--config`, all leaves of its schema, and their reading. */

import type { Argv } from 'yargs';
import type { Schema } from '../config/define-schema.js';
import { findRecipe, recipeNames } from '../config/find-recipe.js';
import { type ResolvedConfig, resolveConfig } from '../config/load.js';
import { openConsole, withLog } from './log-flags.js';

export type Arguments = Record<string, unknown>;

/**
 * Adds `--config`, the general options and one option for each leaf of the configuration.
 *
 * @param required whether yargs asks for `--config`
 */
export function withConfig<T>(
  yargs: Argv<T>,
  { flags, aliases, recipes }: Schema,
  { required = true } = {},
): Argv {
  let result = withLog(yargs)
    .option('config', {
      type: 'string',
      demandOption: required,
      describe: `YAML file, or the name of a recipe: ${recipeNames(recipes).join(', ')}`,
      requiresArg: true,
    })
    .option('debug', {
      type: 'boolean',
      default: false,
      describe: 'a miniature schedule, which goes through all parts of a run',
    }) as Argv;
  for (const { flag, description } of flags) {
    result = result.option(flag, {
      type: 'string',
      describe: description,
      requiresArg: true,
      group: 'Configuration (beats the file):',
    });
  }
  for (const [alias, flag] of Object.entries(aliases)) {
    result = result.option(alias, { type: 'string', describe: `the same as --${flag}`, requiresArg: true });
  }
  return result;
}

/**
 * The configuration that `withConfig` asked for. What was adjusted in it is said.
 *
 * @throws UserError with all mistakes at once
 */
export async function readConfig<Config>(
  argv: Arguments,
  schema: Schema<Config>,
): Promise<ResolvedConfig<Config>> {
  const names = [...schema.leaves.keys(), ...Object.keys(schema.aliases)];
  const overrides = Object.fromEntries(names.map((name) => [name, argv[name]]));
  const resolved = resolveConfig(schema, {
    file: findRecipe(String(argv.config), { recipes: schema.recipes }),
    overrides,
    debug: argv.debug === true,
  });
  const log = openConsole(argv);
  for (const remark of resolved.remarks) log.warn(remark);
  return resolved;
}
