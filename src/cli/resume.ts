/** `--resume [RUN]`: a run goes on with everything from its own `config.yaml`. */

import { basename, join, resolve } from 'node:path';
import type { ResolvedConfig } from '../config/load.js';
import { PRETRAIN, type PretrainConfig } from '../config/schemas/pretrain.js';
import { UserError } from '../core/errors.js';
import { type Arguments, readConfig } from './config-flags.js';

/** Options that choose a run, or how one starts. */
const OTHERS = ['config', 'weights', 'overwrite', 'debug', 'save_dir', 'load_dir'] as const;

export interface ResumedConfig {
  readonly resolved: ResolvedConfig<PretrainConfig>;
  /** Whether options change the run's configuration. */
  readonly changed: boolean;
}

/**
 * The configuration of the run that is named, or of the newest unfinished one below `top_dir`; flags beat it.
 *
 * @throws UserError when there is no such run, or with an option that does not go with resuming
 */
export async function resumedConfig(argv: Arguments): Promise<ResumedConfig> {
  const other = OTHERS.find((name) => argv[name] !== undefined && argv[name] !== false);
  if (other !== undefined) {
    throw new UserError('does not go with --resume, which takes everything from the run', {
      key: `--${other}`,
      remedy: 'leave one of the two away',
    });
  }
  const { newestUnfinished, requireResumable } = await import('../recipes/pretrain/find-run.js');
  const named = String(argv.resume);
  const folder = named === '' ? await newestUnfinished(String(argv.top_dir ?? '')) : resolve(named);
  await requireResumable(folder);
  const file = join(folder, 'config.yaml');
  const resolved = await readConfig({ ...argv, config: file, save_dir: folder, load_dir: null }, PRETRAIN);
  const changed = [...PRETRAIN.leaves.keys()].some((path) => path !== 'top_dir' && argv[path] !== undefined);
  return { resolved: { ...resolved, configName: basename(folder) }, changed };
}
