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

/** A log that says nothing. */
export const SILENT: Log = { info() {}, warn() {}, debug() {} };
