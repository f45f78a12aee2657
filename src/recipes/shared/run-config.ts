/** The configuration that a run keeps. */

import { resolve } from 'node:path';
import type { ResolvedConfig } from '../../config/load.js';
import { renderConfig } from '../../config/print.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';

/** Text of `config.yaml`. Paths of images are absolute, so that the run can be resumed from anywhere. */
export function runConfig(resolved: ResolvedConfig<Config>): string {
  const { config } = resolved;
  const { root, annotations } = config.dataset;
  const absolute = { root: root && resolve(root), annotations: annotations && resolve(annotations) };
  return renderConfig({ ...resolved, config: { ...config, dataset: { ...config.dataset, ...absolute } } });
}
