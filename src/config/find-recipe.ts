/** Recipes of the package by their names, from wherever scrl is started: `one_machine` is `configs/one_machine.yaml`. */

import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { UserError, type UserErrorDetails } from '../core/errors.js';
import { nearest } from '../core/nearest.js';

const require = createRequire(import.meta.url);
const SUFFIX = '.yaml';

export interface RecipePlace {
  /** As given, or joined with the folder of the file that named it. */
  readonly path?: string;
  /** Folder below `configs` that holds the recipes of the command: a schema's `recipes`. */
  readonly recipes?: string;
  /** Where the name stands, for the message. */
  readonly details?: UserErrorDetails;
}

/** Names of the recipes, in the order of the alphabet. */
export function recipeNames(recipes = ''): string[] {
  return readdirSync(folderOf(recipes))
    .filter((file) => extname(file) === SUFFIX)
    .map((file) => basename(file, SUFFIX))
    .sort();
}

/**
 * The file that is meant. A file that exists wins; a path with a folder or a suffix is taken as it is. A folder of a recipe's
 * name hides nothing: `npm start` makes one that is called `quickstart`.
 *
 * @throws UserError when there is neither such a file nor such a recipe; lists the recipes
 */
export function findRecipe(given: string, place: RecipePlace = {}): string {
  const { path = given, recipes, details = { key: '--config' } } = place;
  const isName = basename(given) === given && extname(given) === '';
  const found = statSync(path, { throwIfNoEntry: false });
  if (!isName || found?.isDirectory() === false) return path;
  const names = recipeNames(recipes);
  if (names.includes(given)) return join(folderOf(recipes), given + SUFFIX);
  if (found !== undefined) return path;
  const likely = nearest(given, names);
  throw new UserError('is neither a file nor the name of a recipe', {
    ...details,
    value: given,
    remedy: `${likely === undefined ? '' : `did you mean ${likely}? `}name a YAML file, or one of ${names.join(', ')}`,
  });
}

function folderOf(recipes = ''): string {
  return join(dirname(require.resolve('#package.json')), 'configs', recipes);
}
