/** Where JSON comes from: a file read piece by piece, or bytes in memory. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { errorMessage, UserError } from '../../core/errors.js';

export interface JsonSource {
  /** What the source is called in messages. */
  readonly where: string;
  /** Where in the file reading begins. */
  readonly start: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Reads into `target` from `at` on. @returns how many bytes; 0 at the end */
  read(target: Uint8Array, at: number): number;
  close(): void;
}

/**
 * Synchronous: parsing keeps its thread busy anyway.
 *
 * @throws UserError when the file cannot be opened or is a folder
 */
export function fileSource(
  path: string,
  { start = 0, onRead = () => {} }: { start?: number; onRead?: (bytes: number) => void } = {},
): JsonSource {
  let handle: number;
  let size: number;
  try {
    handle = openSync(path, 'r');
    const stat = fstatSync(handle);
    if (stat.isDirectory()) {
      closeSync(handle);
      throw new Error('it is a folder');
    }
    size = stat.size;
  } catch (error) {
    throw new UserError(`cannot be read: ${errorMessage(error)}`, { where: path, cause: error });
  }
  // Pipes have no positions: these are read as they come.
  let position = start === 0 ? null : start;
  return {
    where: path,
    start,
    size,
    read: (target, at) => {
      const count = readSync(handle, target, at, target.length - at, position);
      if (position !== null) position += count;
      onRead(count);
      return count;
    },
    close: () => closeSync(handle),
  };
}

export function memorySource(bytes: Uint8Array, where: string): JsonSource {
  let done = 0;
  return {
    where,
    start: 0,
    size: bytes.length,
    read: (target, at) => {
      const piece = bytes.subarray(done, done + target.length - at);
      target.set(piece, at);
      done += piece.length;
      return piece.length;
    },
    close: () => {},
  };
}
