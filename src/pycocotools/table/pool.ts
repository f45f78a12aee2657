/**
 * Room for byte strings and rows of numbers of any length, in shared memory: nothing is copied when it grows, and threads
 * read it without a message.
 */

/** In units of 8 bytes. */
const CHUNK = 1 << 20;

/** What another thread needs to read a pool. */
export type PoolData = readonly SharedArrayBuffer[];

export class Pool {
  #chunks: { bytes: Uint8Array; doubles: Float64Array }[] = [];
  /** Used units of the last chunk. */
  #used = 0;

  static from(data: PoolData): Pool {
    const pool = new Pool();
    pool.#chunks = data.map(views);
    return pool;
  }

  get data(): PoolData {
    return this.#chunks.map(({ bytes }) => bytes.buffer as SharedArrayBuffer);
  }

  /** Takes over the chunks of another pool. @returns what to add to its places */
  append(other: Pool): number {
    const shift = this.#chunks.length * SPAN;
    this.#chunks.push(...other.#chunks);
    this.#used = other.#used;
    return shift;
  }

  /** Copies bytes. @returns where they are, in units of 8 bytes */
  put(bytes: Uint8Array): number {
    const place = this.#room(bytes.length);
    this.bytes(place).set(bytes, 8 * Pool.at(place));
    return place;
  }

  /** Copies numbers. @returns where they are, in units of 8 bytes */
  putDoubles(numbers: Float64Array): number {
    const place = this.#room(8 * numbers.length);
    this.doubles(place).set(numbers, Pool.at(place));
    return place;
  }

  #room(bytes: number): number {
    const units = Math.ceil(bytes / 8);
    const last = this.#chunks.at(-1);
    if (last === undefined || this.#used + units > last.doubles.length) {
      this.#chunks.push(views(new SharedArrayBuffer(8 * Math.max(CHUNK, units))));
      this.#used = 0;
    }
    const place = (this.#chunks.length - 1) * SPAN + this.#used;
    this.#used += units;
    return place;
  }

  /** The bytes of the chunk that holds `place`; those of `place` begin at 8 times `Pool.at(place)`. */
  bytes(place: number): Uint8Array {
    return this.#chunks[Math.floor(place / SPAN)].bytes;
  }

  doubles(place: number): Float64Array {
    return this.#chunks[Math.floor(place / SPAN)].doubles;
  }

  /** Position of `place` in its chunk, in units of 8 bytes. */
  static at(place: number): number {
    return place % SPAN;
  }
}

/** Places of a chunk; more than the largest chunk has. */
const SPAN = 2 ** 32;

function views(buffer: SharedArrayBuffer): { bytes: Uint8Array; doubles: Float64Array } {
  return { bytes: new Uint8Array(buffer), doubles: new Float64Array(buffer) };
}
