/**
 * The configuration of a run: defaults, then the base files, then the file, then the command line. Each value keeps
 * its origin, and all mistakes are reported at once.
 */

import { basename, extname } from 'node:path';
import { type Assignment, assignLayer } from './assign.js';
import type { Schema } from './define-schema.js';
import { assignFlags } from './flags.js';
import { readLayers } from './layers.js';
import { Problems } from './problems.js';
import { adjust, checkRules, valuesOf } from './rules.js';

export interface ConfigSources {
  /** YAML file; without one, all defaults. */
  file?: string;
  /** Value by path (`train/optim/lr`), as text from the command line or typed; undefined means not given. */
  overrides?: Readonly<Record<string, unknown>>;
  /** The schema's miniature schedule, which beats even the command line. */
  debug?: boolean;
}

export interface ResolvedConfig<Config> {
  readonly schema: Schema<Config>;
  readonly config: Config;
  /** Of every leaf by path: `default`, `FILE:LINE`, `command line --FLAG`, `KEY WORD` of a preset, or `adjusted to KEY`. */
  readonly origins: ReadonlyMap<string, string>;
  /** Base name of the file without its extension; `default` without a file. */
  readonly configName: string;
  /** What was changed so that it fits, and what looks wrong: a line each. */
  readonly remarks: readonly string[];
}

/** @throws UserError when a file cannot be read or parsed, else one with all keys and values that are wrong */
export function resolveConfig<Config>(
  schema: Schema<Config>,
  { file, overrides = {}, debug = false }: ConfigSources,
): ResolvedConfig<Config> {
  const assignments = new Map<string, Assignment>(
    [...schema.leaves].map(([path, leaf]) => [path, { value: leaf.default, origin: 'default' }]),
  );
  const problems = new Problems();
  for (const layer of file === undefined ? [] : readLayers(file, schema.recipes)) {
    assignLayer(schema, layer, assignments, problems);
  }
  assignFlags(schema, overrides, assignments, problems);
  const remarks = assignPreset(schema, assignments);
  if (debug) assignDebug(schema, assignments);

  remarks.push(...adjust(schema, assignments, problems));
  const config = schema.build(valuesOf(assignments));
  checkRules(schema, config, assignments, problems);
  problems.throwIfAny();

  const origins = new Map([...assignments].map(([path, { origin }]) => [path, origin]));
  const configName = file === undefined ? 'default' : basename(file, extname(file));
  return { schema, config, origins, configName, remarks };
}

/**
 * What a chosen word stands for, where nobody said anything else.
 *
 * @returns where somebody did
 */
function assignPreset({ presets }: Schema, assignments: Map<string, Assignment>): string[] {
  if (presets === undefined) return [];
  const { key, values } = presets;
  const word = String(assignments.get(key)?.value);
  return Object.entries(values[word] ?? {}).flatMap(([path, value]) => {
    const said = assignments.get(path);
    if (said === undefined || said.origin === 'default')
      assignments.set(path, { value, origin: `${key} ${word}` });
    else if (said.value !== value)
      return [`${key}: ${word} has ${path} ${value}, but ${said.origin} says ${said.value}`];
    return [];
  });
}

function assignDebug({ debug }: Schema, assignments: Map<string, Assignment>): void {
  for (const [path, value] of Object.entries(debug)) {
    assignments.set(path, { value, origin: 'command line --debug' });
  }
}
