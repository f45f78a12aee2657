/** Opens the TensorFlow runtime, installing it first where there is none. */

import { type LiveLog, SILENT } from '../../core/log.js';
import { ensureEngine } from '../../engine/install/install.js';
import { Runtime, type RuntimeOptions } from '../../engine/runtime.js';
import { installProgress } from './install-progress.js';

/** Device, threads and precision; a configuration's `engine` is one. */
export type EngineOptions = Omit<RuntimeOptions, 'libraries'>;

/** @throws UserError when the runtime cannot be installed or loaded, or the device is not there */
export async function openEngine(options: EngineOptions = {}, log: LiveLog = SILENT): Promise<Runtime> {
  const { libraries } = await ensureEngine({
    log,
    preferCuda: options.device !== 'cpu',
    onProgress: installProgress(log),
  });
  const runtime = Runtime.open({ libraries, ...options });
  log.info(
    `TensorFlow ${runtime.version} on ${runtime.device === 'gpu' ? 'the GPU' : `the CPU, ${runtime.threads} threads`}`,
  );
  return runtime;
}
