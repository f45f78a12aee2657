/** The configuration that a run keeps. */

import { resolve } from 'node:path';
import type { ResolvedConfig } from '../../config/load.js';
import { renderConfig } from '../../config/print.js';

/** Leaves that are paths of data. */
const DATA = /^dataset\/(root|annotations|(train|val)\/(images|annotations))$/;

/** Text of `config.yaml`. Paths of data are absolute, so that the run can be resumed from anywhere. */
export function runConfig<Config>(resolved: ResolvedConfig<Config>): string {
  const { schema, config } = resolved;
  const values = [...schema.flatten(config)].map(([path, value]): [string, unknown] => [
    path,
    DATA.test(path) && typeof value === 'string' ? resolve(value) : value,
  ]);
  return renderConfig({ ...resolved, config: schema.build(new Map(values)) });
}
