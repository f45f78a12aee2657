// temporary
import type { Console } from '../report/console.js';
export async function engineInfo(): Promise<string> {
  return '';
}
export async function installRuntime(_: { cuda: boolean; from?: string; log: Console }): Promise<void> {}
