/**
 * Counter-based random numbers: every draw is a pure function of a seed and of where it is used.
 *
 * A stream is named by (seed, purpose, a, b): for instance (seed, 'view', epoch, image). No state is shared between
 * streams, so results do not depend on the number of workers, on the order in which images are decoded, or on where
 * a run was interrupted. The generator is Philox-4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011); the counter is (block, purpose, a, b) and the key is the 64-bit seed.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** High 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/**
 * One block of Philox-4x32-10.
 *
 * @param counter four unsigned 32-bit words
 * @param key two unsigned 32-bit words
 * @param out receives four unsigned 32-bit words; may be `counter`
 */
export function philox(counter: Uint32Array, key: Uint32Array, out: Uint32Array): void {
  let c0 = counter[0];
  let c1 = counter[1];
  let c2 = counter[2];
  let c3 = counter[3];
  let k0 = key[0];
  let k1 = key[1];
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** FNV-1a, to turn the name of a purpose into a counter word. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** An endless sequence of draws that belongs to one place of use. */
export class RandomStream {
  readonly #key = new Uint32Array(2);
  readonly #counter = new Uint32Array(4);
  readonly #block = new Uint32Array(4);
  #used = 4;
  /** The block that `at` looked at last, and its number. */
  readonly #place = new Uint32Array(4);
  #placed = -1;

  /**
   * @param seed the run's seed, an integer of at most 2^53
   * @param purpose what the draws are for; streams of different purposes are independent
   * @param a first coordinate, usually the epoch; unsigned 32-bit
   * @param b second coordinate, usually the image's index; unsigned 32-bit
   */
  constructor(seed: number, purpose: string, a = 0, b = 0) {
    this.#key[0] = seed % 0x100000000;
    this.#key[1] = Math.floor(seed / 0x100000000);
    this.#counter[1] = hashName(purpose);
    this.#counter[2] = a;
    this.#counter[3] = b;
  }

  /** 32 random bits. */
  next(): number {
    if (this.#used === 4) {
      philox(this.#counter, this.#key, this.#block);
      this.#counter[0]++;
      this.#used = 0;
    }
    return this.#block[this.#used++];
  }

  /** What `next` would return at a place of the sequence, wherever the sequence stands. @param place from 0 to 2^34 - 1 */
  at(place: number): number {
    const block = Math.floor(place / 4);
    if (block !== this.#placed) {
      const counter = this.#place;
      counter.set(this.#counter);
      counter[0] = block;
      philox(counter, this.#key, counter);
      this.#placed = block;
    }
    return this.#place[place % 4];
  }

  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number {
    const high = this.next() >>> 5;
    const low = this.next() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Uniform over the integers low, ..., high - 1; the bounds are truncated toward zero first, as NumPy does. */
  integer(low: number, high: number): number {
    const first = Math.trunc(low);
    const count = Math.trunc(high) - first;
    if (!(count > 0)) throw new RangeError(`empty integer range [${low}, ${high})`);
    return first + Math.floor(this.uniform() * count);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /**
   * Fills an array with normal draws of mean 0 (Box-Muller, from 32 random bits each: enough for float32, and fast enough
   * for the weights of a network).
   */
  fillNormal(data: Float32Array, deviation: number): void {
    for (let i = 0; i < data.length; i += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log((this.next() + 0.5) / 0x100000000));
      const angle = 2 * Math.PI * ((this.next() + 0.5) / 0x100000000);
      data[i] = radius * Math.cos(angle);
      if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
    }
  }

  /** Fills an array with uniform draws from [low, high), from 32 random bits each. */
  fillUniform(data: Float32Array, low: number, high: number): void {
    const scale = (high - low) / 0x100000000;
    for (let i = 0; i < data.length; i++) data[i] = low + scale * this.next();
  }

  /** Shuffles in place (Fisher-Yates) and returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(0, i + 1);
      const item = items[i];
      items[i] = items[j];
      items[j] = item;
    }
    return items;
  }
}
