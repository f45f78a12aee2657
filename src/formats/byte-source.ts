/**
 * Random access to the bytes of a file, or of an array that stands for one.
 *
 * A source keeps nothing open: `use` opens the file, hands out a function that reads exactly what it is asked for, and
 * closes the file again. So lazily read tensors need no closing. A file that was replaced in between is noticed and
 * refused, because offsets found earlier would mean nothing in it.
 */

import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { hasCode, UserError } from '../core/errors.js';

/** Reads exactly `length` bytes into fresh memory. @throws UserError past the end of the file */
export type ReadBytes = (position: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

/** `ReadBytes` for a reader that cannot wait, a stack machine for one. The bytes may be shared: they are not to be changed. */
export type ReadBytesNow = (position: number, length: number) => Uint8Array;

export interface ByteSource {
  /** What error messages call it: the path. */
  readonly name: string;
  readonly size: number;
  use<T>(work: (read: ReadBytes) => Promise<T>): Promise<T>;
  useNow<T>(work: (read: ReadBytesNow) => T): T;
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
  const first = await openForReading(path);
  const { size, identity } = await first
    .stat()
    .then((status) => identify(path, status))
    .finally(() => first.close());
  const changed = () =>
    new UserError('was changed or replaced while it was being read', {
      where: path,
      remedy: 'read it again from the start',
    });

  // Uses that overlap, or lie within each other, share one handle.
  let shared: Promise<FileHandle> | undefined;
  let users = 0;
  async function openSame(): Promise<FileHandle> {
    const file = await openForReading(path);
    const status = await file.stat();
    if (status.isFile() && identify(path, status).identity === identity) return file;
    await file.close();
    throw changed();
  }
  return {
    name: path,
    size,
    async use(work) {
      users++;
      shared ??= openSame();
      const opened = shared;
      try {
        const file = await opened;
        return await work(async (position, length) => {
          checkRange(path, size, position, length);
          return readExactly(path, file, position, length);
        });
      } finally {
        if (--users === 0) {
          shared = undefined;
          const file = await opened.catch(() => undefined);
          await file?.close();
        }
      }
    },
    useNow(work) {
      const file = openNow(path);
      try {
        const status = fstatSync(file);
        if (!status.isFile() || identify(path, status).identity !== identity) throw changed();
        return work((position, length) => {
          checkRange(path, size, position, length);
          const bytes = new Uint8Array(length);
          for (let done = 0; done < length; ) {
            const count = readSync(file, bytes, done, Math.min(length - done, LARGEST_READ), position + done);
            if (count === 0) throw damaged(path, 'ends earlier than its size says');
            done += count;
          }
          return bytes;
        });
      } finally {
        closeSync(file);
      }
    },
  };
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw explainReadError(path, error);
  }
}

function openNow(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw explainReadError(path, error);
  }
}

/** The file's size, and a text that changes when the file is changed or replaced. */
function identify(path: string, status: Stats): { size: number; identity: string } {
  const { dev, ino, size, mtimeMs } = status;
  if (!status.isFile()) throw new UserError('is not a file', { where: path, remedy: 'name a file' });
  return { size, identity: `${dev} ${ino} ${size} ${mtimeMs}` };
}

async function readExactly(path: string, file: FileHandle, position: number, length: number) {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const wanted = Math.min(length - done, LARGEST_READ);
    const { bytesRead } = await file.read(bytes, done, wanted, position + done);
    if (bytesRead === 0) throw damaged(path, 'ends earlier than its size says');
    done += bytesRead;
  }
  return bytes;
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
    useNow: (work) =>
      work((position, length) => {
        checkRange(name, bytes.length, position, length);
        return bytes.subarray(position, position + length);
      }),
  };
}

/** A stretch of another source. */
export function partOf({ name, use, useNow }: ByteSource, start: number, size: number): ByteSource {
  const place = (position: number, length: number) => {
    checkRange(name, size, position, length);
    return start + position;
  };
  return {
    name,
    size,
    use: (work) => use((read) => work((position, length) => read(place(position, length), length))),
    useNow: (work) => useNow((read) => work((position, length) => read(place(position, length), length))),
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
