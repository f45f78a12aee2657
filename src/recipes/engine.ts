/** Installs the TensorFlow runtime, and says what is there. */

import type { LiveLog } from '../core/log.js';
import { findEngine } from '../engine/install/engine-folder.js';
import { installEngine } from '../engine/install/install.js';
import { Runtime } from '../engine/runtime.js';
import { installProgress } from './shared/install-progress.js';

export async function installRuntime(options: { cuda: boolean; from?: string; log: LiveLog }): Promise<void> {
  await installEngine({ ...options, onProgress: installProgress(options.log) });
}

export interface EngineInfo {
  readonly version: string;
  readonly variant: string;
  readonly source: string;
  readonly folder: string;
  readonly devices: readonly { readonly name: string; readonly type: string }[];
  /** The kind of device that computes. */
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
}

/** Opens the runtime and describes it. @returns undefined when none is installed */
export async function engineInfo(): Promise<EngineInfo | undefined> {
  const engine = await findEngine(false);
  if (engine === undefined) return undefined;
  const { libraries, variant, source, folder } = engine;
  const runtime = Runtime.open({ libraries });
  const { version, devices, device, threads } = runtime;
  runtime.close();
  return { version, variant, source, folder, devices, device, threads };
}
