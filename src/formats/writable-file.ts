/** Where the writers of formats put their bytes. */

import type { FileHandle } from 'node:fs/promises';

/** The part of a `FileHandle` that is used. */
export type WritableFile = Pick<FileHandle, 'write'>;

const LARGEST_WRITE = 1 << 28;

/** Writes all bytes, in as many calls as that takes. @returns how many there were */
export async function writeFully(file: WritableFile, bytes: Uint8Array, position: number): Promise<number> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(bytes.length - done, LARGEST_WRITE);
    const { bytesWritten } = await file.write(bytes, done, length, position + done);
    if (bytesWritten === 0) throw new Error('the file takes no more bytes');
    done += bytesWritten;
  }
  return bytes.length;
}
