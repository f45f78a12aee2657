/**
 * COCO's compressed RLE strings: a variable-length code of five bits a character, characters '0' (48) to 'o' (111).
 *
 * From the fourth count on, the difference to the count before the last is written. Groups are little-endian; bit 5 says
 * that another group follows; the last group is sign-extended from its bit 4.
 */

const FIRST = 48;
const LAST = 111;
const BACKSLASH = 92;
/** Differences of counts are 32-bit integers, as long as counts are not above this. */
const LARGEST = 2 ** 31 - 1;

/** A string that is no RLE. `offset` is the position of the first bad character. */
export class RleStringError extends Error {
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`invalid RLE string: ${problem} at character ${offset}`);
    this.name = 'RleStringError';
    this.offset = offset;
  }
}

export function countsToString(counts: ArrayLike<number>): string {
  const bytes: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    if (!(counts[i] <= LARGEST))
      throw new RangeError(`run ${i} has ${counts[i]} pixels; 2^31 - 1 is the most`);
    let value = i > 2 ? counts[i] - counts[i - 2] : counts[i];
    for (;;) {
      const group = value & 31;
      value >>= 5;
      const more = (group & 16) !== 0 ? value !== -1 : value !== 0;
      bytes.push((more ? group | 32 : group) + FIRST);
      if (!more) break;
    }
  }
  return Buffer.from(bytes).toString('latin1');
}

/**
 * Decodes the string in [start, end) into `decoded`.
 *
 * @param perBackslash bytes that stand for one backslash: 2 as JSON writes it, 1 otherwise
 * @param counts receives the counts and must have room for `end - start`
 * @throws RleStringError
 */
export function decodeCounts(
  bytes: Uint8Array,
  start: number,
  end: number,
  perBackslash: 1 | 2,
  counts?: Uint32Array,
): void {
  let n = 0;
  let ones = 0;
  let pixels = 0;
  let previous = 0;
  let beforeThat = 0;
  let at = start;
  while (at < end) {
    let group = bytes[at] - FIRST;
    let value = group & 31;
    if (group >= 0 && group < 32) {
      // One character, as most differences are: bit 4 is the sign.
      value = (value ^ 16) - 16;
      at++;
    } else {
      let shift = 0;
      value = 0;
      for (;;) {
        if (group < 0 || group > LAST - FIRST) {
          throw new RleStringError(`unexpected byte ${bytes[at]}`, at - start);
        }
        // Seven groups hold 35 bits: more cannot be a 32-bit count.
        if (shift > 30) throw new RleStringError('a number of more than 32 bits', at - start);
        value |= (group & 31) << shift;
        shift += 5;
        at += group === BACKSLASH - FIRST ? perBackslash : 1;
        if ((group & 32) === 0) break;
        if (at >= end) throw new RleStringError('it ends within a number', end - start);
        group = bytes[at] - FIRST;
      }
      if ((group & 16) !== 0 && shift < 32) value |= -1 << shift;
    }
    if (n > 2) value += beforeThat;
    if (value < 0) throw new RleStringError('a run of negative length', at - start - 1);
    if (value > LARGEST) throw new RleStringError('a run of 2^31 pixels or more', at - start - 1);
    if (counts !== undefined) counts[n] = value;
    pixels += value;
    if ((n & 1) === 1) ones += value;
    beforeThat = previous;
    previous = value;
    n++;
  }
  decoded.count = n;
  decoded.ones = ones;
  decoded.pixels = pixels;
}

/** What `decodeCounts` found: how many counts, pixels that are one, pixels in all. */
export const decoded = { count: 0, ones: 0, pixels: 0 };

/** Counts of the runs. @throws RleStringError */
export function stringToCounts(text: string | Uint8Array): Uint32Array {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  const counts = new Uint32Array(bytes.length);
  decodeCounts(bytes, 0, bytes.length, 1, counts);
  return counts.slice(0, decoded.count);
}
