/**
 * COCO's compressed RLE strings: a variable-length code of five bits a character, characters '0' (48) to 'o' (111).
 *
 * From the fourth count on, the difference to the count before the last is written. Groups are little-endian; bit 5 says
 * that another group follows; the last group is sign-extended from its bit 4.
 */

const FIRST = 48;
const LAST = 111;

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
    // 32-bit arithmetic, as the C code's `long` never needs more for masks that fit.
    let value = i > 2 ? (counts[i] - counts[i - 2]) | 0 : counts[i] | 0;
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

/** Reads a string's bytes into `counts`, which must have room for as many. @returns how many counts there are */
export function readCounts(
  bytes: Uint8Array,
  start: number,
  end: number,
  counts: Uint32Array,
  into = 0,
): number {
  let n = 0;
  let at = start;
  while (at < end) {
    let value = 0;
    let shift = 0;
    let group: number;
    do {
      if (at === end) throw new RleStringError('it ends within a number', at - start);
      const byte = bytes[at];
      if (byte < FIRST || byte > LAST) throw new RleStringError(`unexpected byte ${byte}`, at - start);
      // Seven groups hold 35 bits: more cannot be a 32-bit count.
      if (shift > 30) throw new RleStringError('a number of more than 32 bits', at - start);
      group = byte - FIRST;
      value |= (group & 31) << shift;
      shift += 5;
      at++;
    } while ((group & 32) !== 0);
    if ((group & 16) !== 0 && shift < 32) value |= -1 << shift;
    if (n > 2) value += counts[into + n - 2];
    if (value < 0 || value > 0xffffffff) throw new RleStringError('a run of negative length', at - start - 1);
    counts[into + n++] = value;
  }
  return n;
}

/** @throws RleStringError */
export function stringToCounts(text: string | Uint8Array): Uint32Array {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  const counts = new Uint32Array(bytes.length);
  return counts.slice(0, readCounts(bytes, 0, bytes.length, counts));
}
