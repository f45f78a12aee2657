/** Takes what a writer writes, as a `FileHandle` would. */
export class MemoryFile {
  #bytes = Buffer.alloc(0);
  /** Writes fail with ENOSPC beyond this size. */
  readonly #room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.#room = room;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  // The overloads of FileHandle.write are of no interest: writers pass bytes, range and position.
  write = (async (buffer: Uint8Array, offset: number, length: number, position: number) => {
    // Short writes happen: half of it, as a disk that is nearly full may do.
    const bytesWritten = Math.min(length, Math.max(this.#room - position, 0), Math.ceil(length / 2) + 1000);
    if (bytesWritten === 0 && length > 0)
      throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    if (position + bytesWritten > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], position + bytesWritten);
    }
    this.#bytes.set(buffer.subarray(offset, offset + bytesWritten), position);
    return { bytesWritten, buffer };
  }) as never;
}
