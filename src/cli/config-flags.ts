/** The options that every command with a configuration has: `--config`, all leaves of its schema, and their reading. */

import type { Argv, Options } from 'yargs';
import type { Schema } from '../config/define-schema.js';
import { findRecipe, recipeNames } from '../config/find-recipe.js';
import { allowed, type Leaf } from '../config/leaf.js';
import { type ResolvedConfig, resolveConfig } from '../config/load.js';
import { openConsole, withLog } from './log-flags.js';

export type Arguments = Record<string, unknown>;

export interface ConfigFlags {
  /** Paths of the configuration that the first help shows, most important first; the others come with `--help-config`. */
  readonly shown: readonly string[];
  /** Whether yargs asks for `--config`. */
  readonly required?: boolean;
}

export const HELP_CONFIG = 'help-config';

const SHOWN = 'What matters most:';

/** Adds `--config`, the general options and one option for each leaf of the configuration. */
export function withConfig<T>(
  yargs: Argv<T>,
  { leaves, aliases, recipes }: Schema,
  { shown, required = true }: ConfigFlags,
): Argv {
  // The first that are declared are also the first that a short name, `--lr`, is completed to.
  const paths = new Set([...shown, ...leaves.keys()]);
  const config = {
    type: 'string',
    demandOption: required,
    describe: `YAML file, or the name of a recipe: ${recipeNames(recipes).join(', ')}`,
    requiresArg: true,
    group: SHOWN,
  } as const;
  const debug = {
    type: 'boolean',
    default: false,
    describe: 'a miniature schedule, which goes through all parts of a run',
  } as const;
  let result = yargs.option('config', config) as Argv;
  for (const path of paths) {
    const leaf = leaves.get(path);
    if (leaf === undefined) throw new Error(`${path} is no path of this configuration`);
    const isShown = shown.includes(path);
    result = result.option(path, {
      ...optionOf(leaf),
      hidden: !isShown,
      group: isShown ? SHOWN : sectionOf(path),
    });
  }
  for (const [alias, path] of Object.entries(aliases)) {
    result = result.option(alias, { hidden: true, requiresArg: true, describe: `the same as --${path}` });
  }
  return withLog(result)
    .option('debug', debug)
    .showHidden(HELP_CONFIG, 'list all options of the configuration, with their defaults')
    .epilogue('A default counts where the recipe says nothing.');
}

/**
 * Without a type of yargs', a value stays the text that it is: it is parsed as one in a file is. A default that yargs knew of
 * would beat the file.
 */
function optionOf(leaf: Leaf): Options {
  const value = defaultText(leaf);
  // What an empty text would mean is said where one is given.
  const kind = leaf.kind === 'string' ? 'text' : allowed(leaf).replace(/^an? /, '');
  return {
    describe: `${leaf.description} [${kind}]`,
    requiresArg: true,
    ...(value !== '' && { defaultDescription: value }),
  };
}

function defaultText({ default: value }: Leaf): string {
  return value === null ? '' : String(value);
}

/** The heading below which `--help-config` lists a path: `train:` for `train/optim/lr`. */
function sectionOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? 'run:' : `${path.slice(0, slash)}:`;
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
