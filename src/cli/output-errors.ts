/**
 * What happens when standard output or standard error takes no more.
 *
 * A reader that has gone (`scrl ... | head -1`, a terminal that was closed) is no reason to end: what is written to files is
 * worth more than what is said. Output that is lost because a disk is full is a mistake that the exit code tells.
 */

import { hasCode } from '../core/errors.js';

/** The reader has gone: EPIPE of a pipe, EIO of a terminal. */
const GONE = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

/** Listens to the errors of both streams until the process ends; otherwise Node ends it at the first. */
export function surviveOutputErrors(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error) => {
    if (!hasCode(error, ...GONE)) sayOnce(error);
  });
}

let said = false;

/** The exit code is set as late as possible, because a command may set its own. */
function sayOnce(error: Error): void {
  if (said) return;
  said = true;
  process.stderr.write(`error: standard output: cannot be written: ${error.message}\n`);
  process.on('exit', () => {
    process.exitCode = 2;
  });
}
