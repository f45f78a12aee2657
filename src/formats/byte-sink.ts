/** Writes a file from front to back, in as many writes as the system wants. */

import type { FileHandle } from 'node:fs/promises';

/** The part of a `FileHandle` that is used. */
export type WritableFile = Pick<FileHandle, 'write'>;

/** Node writes at most 2^31 - 1 bytes in one call. */
const LARGEST_WRITE = 1 << 28;

export class ByteSink {
  readonly #file: WritableFile;
  #position = 0;

  constructor(file: WritableFile) {
    this.#file = file;
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.patch(this.#position, bytes);
    this.#position += bytes.length;
  }

  /** Writes somewhere else, over what was not known when it was written first. */
  async patch(position: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(bytes.length - done, LARGEST_WRITE);
      const { bytesWritten } = await this.#file.write(bytes, done, length, position + done);
      if (bytesWritten === 0) throw new Error('the file takes no more bytes');
      done += bytesWritten;
    }
  }
}
