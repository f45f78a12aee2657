/** Ctrl-C and SIGTERM ask a run to stop after the current step; a second one ends the process at once. */

export class Interrupt {
  #signal: NodeJS.Signals | undefined;
  readonly #listener = (signal: NodeJS.Signals): void => {
    if (this.#signal !== undefined) process.exit(exitCode(signal));
    this.#signal = signal;
    this.#onFirst(signal);
  };
  readonly #onFirst: (signal: NodeJS.Signals) => void;

  /** @param onFirst called on the first signal, to say that the run is about to stop */
  constructor(onFirst: (signal: NodeJS.Signals) => void) {
    this.#onFirst = onFirst;
    process.on('SIGINT', this.#listener);
    process.on('SIGTERM', this.#listener);
  }

  /** The signal that came, if one came. */
  get signal(): NodeJS.Signals | undefined {
    return this.#signal;
  }

  /** Gives the signals back to Node. */
  release(): void {
    process.off('SIGINT', this.#listener);
    process.off('SIGTERM', this.#listener);
  }
}

/** The exit code that shells expect of a process ended by a signal. */
export function exitCode(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? 130 : 143;
}
