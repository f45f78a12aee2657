/**
 * The configuration of a run: defaults, then the base files, then the file, then the command line. Each value keeps
 * its origin, and all mistakes are reported at once.
 */

import { basename, extname } from 'node:path';
import { type Assignment, assignLayer } from './assign.js';
import { assignFlags } from './flags.js';
import { readLayers } from './layers.js';
import { Problems } from './problems.js';
import { checkRules } from './rules.js';
import { buildConfig, type Config, LEAVES } from './schema.js';

export interface ConfigSources {
  /** YAML file; without one, all defaults. */
  file?: string;
  /** Value by path (`train/optim/lr`), as text from the command line or typed; undefined means not given. */
  overrides?: Readonly<Record<string, unknown>>;
}

export interface ResolvedConfig {
  readonly config: Config;
  /** Of every leaf by path: `default`, `FILE:LINE` or `command line --FLAG`. */
  readonly origins: ReadonlyMap<string, string>;
  /** Base name of the file without its extension; `default` without a file. */
  readonly configName: string;
}

/** @throws UserError when a file cannot be read or parsed, else one with all keys and values that are wrong */
export function resolveConfig({ file, overrides = {} }: ConfigSources): ResolvedConfig {
  const assignments = new Map<string, Assignment>(
    [...LEAVES].map(([path, leaf]) => [path, { value: leaf.default, origin: 'default' }]),
  );
  const problems = new Problems();
  for (const layer of file === undefined ? [] : readLayers(file)) assignLayer(layer, assignments, problems);
  assignFlags(overrides, assignments, problems);

  const config = buildConfig(new Map([...assignments].map(([path, { value }]) => [path, value])));
  checkRules(config, assignments, problems);
  problems.throwIfAny();

  const origins = new Map([...assignments].map(([path, { origin }]) => [path, origin]));
  return { config, origins, configName: file === undefined ? 'default' : basename(file, extname(file)) };
}
