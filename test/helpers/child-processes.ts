/**
 * Processes that tests start. A test that fails or runs out of time must not leave them to work on: each leads a process
 * group of its own, which is killed with all that it started when its test or the file ends.
 * `no-process-left.ts` checks that at the end of all tests.
 */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { afterAll, afterEach } from 'vitest';

const running = new Set<ChildProcess>();

/** `spawn`, bound to the life of the test. */
export function startProcess(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, { ...options, detached: true });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

export interface Outcome {
  code: number | null;
  out: string;
  err: string;
}

/** Collects what a process writes. `said` is its standard error so far. */
export function collect(child: ChildProcess): { ended: Promise<Outcome>; said: () => string } {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (data: Buffer) => {
    out += data;
  });
  child.stderr?.on('data', (data: Buffer) => {
    err += data;
  });
  const ended = new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  return { ended, said: () => err };
}

function endAll(): void {
  for (const { pid } of running) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
  running.clear();
}

afterEach(endAll);
afterAll(endAll);
process.once('exit', endAll);
