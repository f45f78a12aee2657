/** `--resume [RUN]`: a run goes on with everything from its own `config.yaml`. */

import { basename, join, resolve } from 'node:path';
import type { Schema } from '../config/define-schema.js';
import type { ResolvedConfig } from '../config/load.js';
import { UserError } from '../core/errors.js';
import type { RunKind } from '../recipes/shared/find-run.js';
import { type Arguments, readConfig } from './config-flags.js';

/** Options that choose a run, or how one starts. */
const OTHERS = ['config', 'weights', 'overwrite', 'debug', 'save_dir', 'load_dir'] as const;

export interface ResumedConfig<Config> {
  readonly resolved: ResolvedConfig<Config>;
  /** Whether options change the run's configuration. */
  readonly changed: boolean;
}

/**
 * The configuration of a command that starts runs and resumes them.
 *
 * @param kind of its runs
 * @returns it, and whether a run is to keep it anew
 */
export async function startedOrResumed<Config>(
  argv: Arguments,
  schema: Schema<Config>,
  kind: () => Promise<RunKind>,
): Promise<ResumedConfig<Config>> {
  if (argv.resume !== undefined) return resumedConfig(argv, schema, await kind());
  if (argv.config !== undefined) return { resolved: await readConfig(argv, schema), changed: true };
  throw new UserError('Missing required argument: config', { remedy: 'or go on with a run: --resume' });
}

/**
 * The configuration of the run that is named, or of the newest unfinished one below `top_dir`; flags beat it.
 *
 * @throws UserError when there is no such run, or with an option that does not go with resuming
 */
async function resumedConfig<Config>(
  argv: Arguments,
  schema: Schema<Config>,
  kind: RunKind,
): Promise<ResumedConfig<Config>> {
  const other = OTHERS.find((name) => argv[name] !== undefined && argv[name] !== false);
  if (other !== undefined) {
    throw new UserError('does not go with --resume, which takes everything from the run', {
      key: `--${other}`,
      remedy: 'leave one of the two away',
    });
  }
  const { newestUnfinished, requireResumable } = await import('../recipes/shared/find-run.js');
  const named = String(argv.resume);
  const folder = named === '' ? await newestUnfinished(String(argv.top_dir ?? ''), kind) : resolve(named);
  await requireResumable(folder);
  const file = join(folder, 'config.yaml');
  const place = { save_dir: folder, ...(schema.leaves.has('load_dir') && { load_dir: null }) };
  const resolved = await readConfig({ ...argv, config: file, ...place }, schema);
  const changed = [...schema.leaves.keys()].some((path) => path !== 'top_dir' && argv[path] !== undefined);
  return { resolved: { ...resolved, configName: basename(folder) }, changed };
}
