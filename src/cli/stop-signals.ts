/**
 * Ctrl-C, SIGTERM and a closed terminal, for commands that leave something behind: they get an `AbortSignal`, whose reason
 * is the signal's name. Without this a signal ends the process at once, as Node does by itself.
 */

import { getEventListeners } from 'node:events';

/** The exit codes that shells expect of a process ended by a signal: 128 and its number. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;
const SIGNALS = Object.keys(EXIT_CODES) as StopSignal[];

/**
 * Runs a command that saves what it has before it stops. Where nobody listens to the signal (data is being read, TensorFlow
 * installed) there is nothing to save, and the process ends at once; so it does at a second signal.
 *
 * @param work returns whether it stopped before its end
 */
export async function stopsAfterSaving(work: (signal: AbortSignal) => Promise<boolean>): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const stop = (name: StopSignal): void => {
    if (signal.aborted || getEventListeners(signal, 'abort').length === 0) process.exit(EXIT_CODES[name]);
    controller.abort(name);
  };
  await withListener(stop, async () => {
    if (await work(signal)) process.exitCode = EXIT_CODES[signal.reason as StopSignal];
  });
}

/** Runs a command that is given up at once; what listens to the signal removes unfinished files before it returns. */
export async function givesUp(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const stop = (name: StopSignal): void => {
    controller.abort(name);
    process.exit(EXIT_CODES[name]);
  };
  await withListener(stop, () => work(controller.signal));
}

async function withListener(listener: (name: StopSignal) => void, work: () => Promise<void>): Promise<void> {
  for (const name of SIGNALS) process.on(name, listener);
  try {
    await work();
  } finally {
    for (const name of SIGNALS) process.off(name, listener);
  }
}
