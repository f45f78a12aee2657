/**
 * Random access to the bytes of a file, or of an array that stands for one.
 *
 * A source keeps nothing open: `use` opens the file, hands out a function that reads exactly what it is asked for, and
 * closes the file again. So lazily read tensors need no closing. A file that was replaced in between is noticed and
 * refused, because offsets found earlier would mean nothing in it.
 */

import { open } from 'node:fs/promises';
import { hasCode, UserError } from '../core/errors.js';

/** Reads exactly `length` bytes into fresh memory. @throws UserError past the end of the file */
export type ReadBytes = (position: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

export interface ByteSource {
  /** What error messages call it: the path. */
  readonly name: string;
  readonly size: number;
  use<T>(work: (read: ReadBytes) => Promise<T>): Promise<T>;
}

/** Node reads at most 2^31 - 1 bytes in one call. */
const LARGEST_READ = 1 << 28;

/** The mistake is in the file's bytes. */
export function damaged(where: string, problem: string, key?: string): UserError {
  return new UserError(problem, {
    where,
    ...(key === undefined ? {} : { key }),
    remedy: 'the file is damaged or incomplete: copy, download or write it again',
  });
}

/** @throws UserError when there is no such file, it is a folder, or it may not be read */
export async function fileSource(path: string): Promise<ByteSource> {
  const opened = async () => {
    try {
      return await open(path, 'r');
    } catch (error) {
      throw explainReadError(path, error);
    }
  };
  const identify = async (file: Awaited<ReturnType<typeof open>>) => {
    const status = await file.stat();
    if (!status.isFile()) throw new UserError('is not a file', { where: path, remedy: 'name a file' });
    return { size: status.size, identity: `${status.dev} ${status.ino} ${status.size} ${status.mtimeMs}` };
  };
  const first = await opened();
  const { size, identity } = await identify(first).finally(() => first.close());

  return {
    name: path,
    size,
    async use(work) {
      const file = await opened();
      try {
        if ((await identify(file)).identity !== identity) {
          throw new UserError('was changed or replaced while it was being read', {
            where: path,
            remedy: 'read it again from the start',
          });
        }
        return await work(async (position, length) => {
          checkRange(path, size, position, length);
          const bytes = new Uint8Array(length);
          for (let done = 0; done < length; ) {
            const wanted = Math.min(length - done, LARGEST_READ);
            const { bytesRead } = await file.read(bytes, done, wanted, position + done);
            if (bytesRead === 0) throw damaged(path, 'ends earlier than its size says');
            done += bytesRead;
          }
          return bytes;
        });
      } finally {
        await file.close();
      }
    },
  };
}

/** A source over bytes that are in memory already. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    use: (work) =>
      work(async (position, length) => {
        checkRange(name, bytes.length, position, length);
        return new Uint8Array(bytes.subarray(position, position + length));
      }),
  };
}

function checkRange(name: string, size: number, position: number, length: number): void {
  if (!(position >= 0 && length >= 0 && position + length <= size)) {
    throw damaged(name, `needs bytes ${position} to ${position + length}, but has ${size}`);
  }
}

function explainReadError(path: string, error: unknown): unknown {
  if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
    return new UserError('no such file', { where: path, remedy: 'check the path', cause: error });
  }
  if (hasCode(error, 'EACCES', 'EPERM')) {
    return new UserError('may not be read: permission denied', {
      where: path,
      remedy: 'ask the owner of the file for permission',
      cause: error,
    });
  }
  return error;
}
