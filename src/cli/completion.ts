/** What a shell offers when Tab is pressed: on top of what yargs knows, all configuration options and names of recipes. */

import type { Schema } from '../config/define-schema.js';
import { recipeNames } from '../config/find-recipe.js';
import type { Leaf } from '../config/leaf.js';
import { DETECT } from '../config/schemas/detect.js';
import { PRETRAIN } from '../config/schemas/pretrain.js';
import { RESULTS } from '../config/schemas/results.js';

const SCHEMAS: Readonly<Record<string, Schema>> = {
  pretrain: PRETRAIN,
  preview: PRETRAIN,
  linear: PRETRAIN,
  config: PRETRAIN,
  'detect train': DETECT,
  'detect preview': DETECT,
  reproduce: RESULTS,
};

/**
 * What may stand in place of the last word.
 *
 * @param words of the command line behind `scrl`; the last is the one that is being written, perhaps empty
 * @returns undefined where yargs knows best
 */
export function completions(words: readonly string[]): string[] | undefined {
  const schema = schemaOf(words);
  if (schema === undefined) return undefined;
  const current = words.at(-1) ?? '';
  const option = words.at(-2) ?? '';
  if (['--config', '--plan'].includes(option)) return startingWith(current, recipeNames(schema.recipes));
  const leaf = schema.leaves.get(option.replace(/^--/, ''));
  if (leaf !== undefined && option.startsWith('--')) return startingWith(current, valuesOf(leaf));
  // Two dashes alone are completed to the options of the first help, which yargs lists.
  if (!/^--./.test(current)) return undefined;
  const paths = startingWith(
    current,
    [...schema.leaves.keys()].map((path) => `--${path}`),
  );
  return paths.length === 0 ? undefined : paths;
}

function schemaOf([first = '', second = '']: readonly string[]): Schema | undefined {
  return SCHEMAS[first] ?? SCHEMAS[`${first} ${second}`];
}

/** None, and then the shell offers files. */
function valuesOf({ kind, choices }: Leaf): readonly string[] {
  return kind === 'boolean' ? ['true', 'false'] : choices;
}

function startingWith(beginning: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(beginning));
}
