/**
 * The loaded TensorFlow library: one per process, with the status object that its calls report errors through.
 */

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { errorMessage, UserError } from '../core/errors.js';
import { bindCApi, type CApi, type Memory, type Pointer } from './capi.js';

/** A TensorFlow call that failed, with TensorFlow's own text. */
export class TensorFlowError extends Error {
  /** The canonical code, e.g. 3 for INVALID_ARGUMENT, 8 for RESOURCE_EXHAUSTED. */
  readonly code: number;

  constructor(what: string, code: number, message: string) {
    super(`${what}: ${message}`);
    this.name = 'TensorFlowError';
    this.code = code;
  }
}

export class Library {
  readonly c: CApi;
  readonly version: string;

  constructor(c: CApi) {
    this.c = c;
    this.version = c.TF_Version();
  }

  /**
   * Calls `call` with a fresh status object and throws what it reports.
   *
   * @param what what was being done, for the message
   * @throws TensorFlowError
   */
  checked<T>(what: string, call: (status: Pointer) => T): T {
    const status: Pointer = this.c.TF_NewStatus();
    try {
      const result = call(status);
      this.check(what, status);
      return result;
    } finally {
      this.c.TF_DeleteStatus(status);
    }
  }

  check(what: string, status: Pointer): void {
    const code: number = this.c.TF_GetCode(status);
    if (code !== 0) throw new TensorFlowError(what, code, this.c.TF_Message(status));
  }

  /** The content of a `TF_Buffer` ({data, length, deallocator}), copied. */
  bufferContent(buffer: Pointer): Uint8Array {
    const head = new BigUint64Array(2);
    this.c.memcpy(head, buffer, 16);
    const content = new Uint8Array(Number(head[1]));
    if (content.length > 0) this.c.memcpy(content, head[0], content.length);
    return content;
  }

  copy(target: Memory, source: Memory, bytes: number): void {
    if (bytes > 0) this.c.memcpy(target, source, bytes);
  }
}

let loaded: { library: Library; paths: string } | undefined;

/**
 * Loads TensorFlow, once per process.
 *
 * @param paths shared libraries in load order: what must be preloaded, the framework library, the main library
 * @throws UserError when a library cannot be loaded, lacks a symbol, or another one is loaded already
 */
export function loadLibrary(paths: readonly string[]): Library {
  const key = paths.join('\n');
  if (loaded !== undefined) {
    if (loaded.paths !== key) throw new Error('another TensorFlow library is already loaded in this process');
    return loaded.library;
  }
  // Read by the library while it is being loaded: 2 hides information and warnings.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    loaded = { library: new Library(bindCApi(paths)), paths: key };
  } catch (error) {
    throw new UserError(`TensorFlow cannot be loaded: ${errorMessage(error)}`, {
      where: paths.at(-1) ?? 'TensorFlow',
      remedy: 'install the runtime again with: scrl engine install',
      cause: error,
    });
  }
  return loaded.library;
}

/**
 * Runs `work` with the process's standard error going to a file, and afterwards prints what is worth reading.
 *
 * TensorFlow announces its CPU features through a logger that starts before any log level can be set. Those lines are
 * dropped; anything else is printed as it came.
 */
export function withoutStartupNoise<T>(work: () => T): T {
  if (process.platform === 'win32' || process.env.SCRL_TENSORFLOW_LOG !== undefined) return work();
  const libc = koffi.load(null);
  const dup = libc.func('dup', 'int', ['int']);
  const dup2 = libc.func('dup2', 'int', ['int', 'int']);
  const close = libc.func('close', 'int', ['int']);
  const folder = mkdtempSync(join(tmpdir(), 'scrl-'));
  const path = join(folder, 'stderr');
  const file = openSync(path, 'w');
  const saved: number = dup(2);
  dup2(file, 2);
  try {
    return work();
  } finally {
    dup2(saved, 2);
    close(saved);
    closeSync(file);
    const kept = readFileSync(path, 'utf8')
      .split('\n')
      .filter(
        (line) =>
          line !== '' &&
          !/^(WARNING: All log messages before absl|I\d{4} |To enable the following instructions)/.test(line),
      );
    if (kept.length > 0) process.stderr.write(`${kept.join('\n')}\n`);
    rmSync(folder, { recursive: true, force: true });
  }
}
