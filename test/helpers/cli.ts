/**
 * `scrl` as it was built. `startCli` starts the executable, as users do: for what only a process has, its exit code, signals
 * and death. `runCli` runs the same command within the test's process, which spares it a start of Node and of TensorFlow.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { collect, type Outcome, startProcess } from './child-processes.js';

export type { Outcome };

const ROOT = join(import.meta.dirname, '../..');
/** What `npx scrl` starts. */
export const CLI = join(ROOT, JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).bin.scrl);
const MAIN = pathToFileURL(join(ROOT, 'dist/src/cli/main.js')).href;

/** @param cwd the folder in which it is started */
export function startCli(cwd: string, args: readonly string[]) {
  const child = startProcess(process.execPath, [CLI, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  return { child, ...collect(child) };
}

/** One at a time: the working directory and the standard streams are the process's. */
export async function runCli(cwd: string, args: readonly string[]): Promise<Outcome> {
  const { main } = (await import(MAIN)) as typeof import('../../src/cli/main.js');
  const before = process.cwd();
  const [out, err] = [capture(process.stdout), capture(process.stderr)];
  try {
    process.chdir(cwd);
    await main(args);
    return { code: Number(process.exitCode ?? 0), out: out.text(), err: err.text() };
  } finally {
    process.exitCode = undefined;
    process.chdir(before);
    out.release();
    err.release();
  }
}

/** Keeps what is written to a stream from it. */
function capture(stream: NodeJS.WriteStream): { text: () => string; release: () => void } {
  const { write } = stream;
  const chunks: string[] = [];
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
  return {
    text: () => chunks.join(''),
    release: () => {
      stream.write = write;
    },
  };
}
