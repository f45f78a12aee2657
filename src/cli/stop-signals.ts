/**
 * Ctrl-C, SIGTERM and a closed terminal ask a command to stop: it gets an `AbortSignal`, whose reason is the signal's name.
 *
 * Where nobody listens to it there is nothing to save, and the process ends at once, as it would without this. So does a
 * second signal.
 */

import { getEventListeners } from 'node:events';

/** The exit codes that shells expect of a process ended by a signal: 128 and its number. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;
const SIGNALS = Object.keys(EXIT_CODES) as StopSignal[];

/** Runs a command's work; when it was asked to stop and did so, the exit code says by which signal. */
export async function withStopSignal(work: (signal: AbortSignal) => Promise<boolean>): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const listener = (name: NodeJS.Signals): void => {
    const ignored = signal.aborted || getEventListeners(signal, 'abort').length === 0;
    controller.abort(name);
    if (ignored) process.exit(exitCode(name));
  };
  for (const name of SIGNALS) process.on(name, listener);
  try {
    if (await work(signal)) process.exitCode = exitCode(signal.reason);
  } finally {
    for (const name of SIGNALS) process.off(name, listener);
  }
}

function exitCode(name: unknown): number {
  return EXIT_CODES[name as StopSignal];
}
