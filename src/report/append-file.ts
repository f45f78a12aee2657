/** A file that only grows, of a run that a full disk should not end: what does not fit waits in memory, and is tried again. */

import { closeSync, writeSync } from 'node:fs';
import { hasCode } from '../core/errors.js';
import { explainWriteError } from '../core/fs.js';
import type { Log } from '../core/log.js';

export class AppendFile {
  readonly path: string;
  readonly #log: Log;
  #file: number | undefined;
  #waiting: Buffer = Buffer.alloc(0);
  #warned = false;

  /** @param file descriptor, opened for appending; closed by `close` */
  constructor(path: string, file: number, log: Log) {
    this.path = path;
    this.#file = file;
    this.#log = log;
  }

  /** @throws UserError when it cannot be written for another reason than a full disk */
  append(bytes: Uint8Array): void {
    if (this.#file === undefined) throw new Error(`${this.path} is closed`);
    this.#waiting = this.#waiting.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#waiting, bytes]);
    const problem = this.#drain(this.#file);
    if (problem === undefined || this.#warned) return;
    this.#warned = true;
    this.#log.warn(`${this.path}: no space left on the disk; kept in memory until there is`);
  }

  /** @throws UserError when something is still waiting and does not fit */
  close(): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    const problem = this.#drain(file);
    closeSync(file);
    if (problem !== undefined) throw explainWriteError(this.path, problem);
  }

  /** @returns why there is a rest, a disk that is full */
  #drain(file: number): unknown {
    try {
      while (this.#waiting.length > 0) this.#waiting = this.#waiting.subarray(writeSync(file, this.#waiting));
    } catch (error) {
      if (hasCode(error, 'ENOSPC', 'EDQUOT')) return error;
      throw explainWriteError(this.path, error);
    }
    return undefined;
  }
}
