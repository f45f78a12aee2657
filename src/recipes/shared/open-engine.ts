/** Opens the TensorFlow runtime that a configuration asks for, installing it first where there is none. */

import type { Config } from '../../config/schema.js';
import type { LiveLog } from '../../core/log.js';
import { ensureEngine } from '../../engine/install/install.js';
import { Runtime } from '../../engine/runtime.js';
import { installProgress } from './install-progress.js';

export async function openEngine(config: Config['engine'], log: LiveLog): Promise<Runtime> {
  const { libraries } = await ensureEngine({
    log,
    preferCuda: config.device !== 'cpu',
    onProgress: installProgress(log),
  });
  const runtime = Runtime.open({ libraries, ...config });
  log.info(
    `TensorFlow ${runtime.version} on ${runtime.device === 'gpu' ? 'the GPU' : `the CPU, ${runtime.threads} threads`}`,
  );
  return runtime;
}
