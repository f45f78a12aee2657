/**
 * What the program says while it works. Parts of the program receive a `Log`; only the command line decides where the
 * lines go. Results (tables, JSON) are not log lines: commands write those to standard output themselves.
 */

export interface Log {
  info(message: string): void;
  /** Something the user should know and may want to change. */
  warn(message: string): void;
  /** Shown with `--log_level debug` only. */
  debug(message: string): void;
}

/** A log that can also keep one line up to date in place: how far something has come. */
export interface LiveLog extends Log {
  /** Whether `setLive` has an effect: false in a pipe. */
  readonly live: boolean;
  /** Columns that a live line may take. */
  readonly width: number;
  /** Replaces the live line; an empty text removes it. */
  setLive(text: string): void;
}

/** A log that says nothing. */
export const SILENT: LiveLog = { live: false, width: 80, info() {}, warn() {}, debug() {}, setLive() {} };
