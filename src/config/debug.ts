/** The miniature schedule of `--debug`, as in the reference: every part of a run is exercised within minutes. */

import type { ResolvedConfig } from './load.js';
import { buildConfig, type ConfigPath, flattenConfig } from './schema.js';

const DEBUG_SCHEDULE: readonly (readonly [ConfigPath, number])[] = [
  ['train/max_epochs', 2],
  ['train/warmup_epochs', 1],
  ['train/valid_interval', 1],
  ['train/snapshot_interval', 1],
  ['train/num_workers', 4],
  ['eval/max_epochs', 2],
  ['eval/warmup_epochs', 1],
  ['eval/valid_interval', 1],
  ['eval/num_workers', 4],
];

/** The same configuration with the miniature schedule, which has precedence even over the command line. */
export function shrinkForDebug(resolved: ResolvedConfig): ResolvedConfig {
  const values = flattenConfig(resolved.config);
  const origins = new Map(resolved.origins);
  for (const [path, value] of DEBUG_SCHEDULE) {
    values.set(path, value);
    origins.set(path, 'command line --debug');
  }
  return { ...resolved, config: buildConfig(values), origins };
}
