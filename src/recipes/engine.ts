/** `scrl engine`: install the TensorFlow runtime, and say what is there. */

import type { LiveLog } from '../core/log.js';
import { findEngine } from '../engine/install/engine-folder.js';
import { installEngine } from '../engine/install/install.js';
import { Runtime } from '../engine/runtime.js';
import { formatTable } from '../report/table.js';
import { installProgress } from './shared/install-progress.js';

export async function installRuntime(options: { cuda: boolean; from?: string; log: LiveLog }): Promise<void> {
  await installEngine({ ...options, onProgress: installProgress(options.log) });
}

/** Opens the runtime and describes it. */
export async function engineInfo(): Promise<string> {
  const engine = await findEngine(false);
  if (engine === undefined) return 'no runtime is installed; install one with: scrl engine install\n';
  const runtime = Runtime.open({ libraries: engine.libraries });
  const rows = [
    ['TensorFlow', runtime.version],
    ['variant', engine.variant],
    ['source', engine.source],
    ['folder', engine.folder],
    ...runtime.devices.map(({ name, type }) => [`device (${type})`, name]),
    ['computes on', runtime.device],
    ['threads', String(runtime.threads)],
  ];
  runtime.close();
  return `${formatTable(['runtime', ''], rows)}\n`;
}
