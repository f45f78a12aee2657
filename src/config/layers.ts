/**
 * Reads a configuration file and the files that it builds on.
 *
 * `_base_: other.yaml` names one file, relative to the file that says so, or a recipe of the package; bases may have
 * bases. The file's own values take precedence over its base's, leaf by leaf.
 */

import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { errorMessage, hasCode, UserError } from '../core/errors.js';
import { findRecipe } from './find-recipe.js';
import { parseYaml, type YamlDocument } from './yaml-document.js';

export const BASE_KEY = '_base_';

/** More than any configuration needs; a checkpoint or an image given by mistake is not read. */
const MAX_BYTES = 1_000_000;

export interface Layer {
  /** As the user wrote it, joined with the folder of the file that named it. */
  readonly file: string;
  readonly document: YamlDocument;
}

/**
 * The files in increasing precedence: the innermost base first, `file` last.
 *
 * @param recipes folder of the recipes that a base may name
 * @throws UserError when one of them cannot be read or parsed, or when they form a cycle
 */
export function readLayers(file: string, recipes = ''): Layer[] {
  const layers: Layer[] = [];
  const seen = new Map<string, string>();
  let next: { file: string; named?: { where: string; key: string } } | undefined = { file };
  while (next !== undefined) {
    const { file: current, named } = next;
    const text = readText(current, named);
    const identity = realpathSync(current);
    if (seen.has(identity)) {
      throw new UserError(
        `files build on each other in a circle: ${[...seen.values(), current].join(' -> ')}`,
        {
          ...named,
          remedy: `remove one \`${BASE_KEY}\``,
        },
      );
    }
    seen.set(identity, current);
    const document = parseYaml(text, current);
    layers.unshift({ file: current, document });
    next = baseOf(current, document, recipes);
  }
  return layers;
}

function baseOf(
  file: string,
  document: YamlDocument,
  recipes: string,
): { file: string; named: { where: string; key: string } } | undefined {
  if (!Object.hasOwn(document.value, BASE_KEY)) return undefined;
  const base = document.value[BASE_KEY];
  const named = { where: `${file}:${document.line([BASE_KEY])}`, key: BASE_KEY };
  if (typeof base !== 'string' || base === '') {
    throw new UserError('must be the path of one YAML file, relative to this one', {
      ...named,
      value:
        base === null || typeof base === 'string' ? base : `a ${Array.isArray(base) ? 'list' : typeof base}`,
    });
  }
  const path = isAbsolute(base) ? base : join(dirname(file), base);
  return { file: findRecipe(base, { path, recipes, details: named }), named };
}

function readText(file: string, named: { where: string; key: string } | undefined): string {
  const details = named ?? { where: file };
  const subject = named === undefined ? '' : `${file} `;
  try {
    const status = statSync(file);
    if (status.isDirectory()) {
      throw new UserError(`${subject}is a folder, not a YAML file`, details);
    }
    // A device or a pipe may never end.
    if (!status.isFile())
      throw new UserError(`${subject}is no regular file`, { ...details, remedy: 'write it to a file first' });
    if (status.size > MAX_BYTES) {
      throw new UserError(`${subject}is too large for a configuration: ${status.size} bytes`, details);
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
    if (text.includes('\0')) throw new TypeError('holds null bytes');
    return text;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
      throw new UserError(`${subject}does not exist`, { ...details, cause: error });
    }
    const reason =
      error instanceof TypeError ? 'is not a text in UTF-8' : `cannot be read: ${errorMessage(error)}`;
    throw new UserError(`${subject}${reason}`, { ...details, cause: error });
  }
}
