/** Spoils a file, reproducibly. */

import type { RandomStream } from '../../src/core/rng.js';

/** Values at which readers tend to break. */
const EDGES = [0, 1, 0x28, 0x2e, 0x7f, 0x80, 0xff];

export function mutate(bytes: Buffer, random: RandomStream): Buffer {
  let result = Buffer.from(bytes);
  for (let i = random.integer(1, 5); i > 0 && result.length > 0; i--) {
    const at = random.integer(0, result.length);
    const kind = random.integer(0, 10);
    if (kind < 4) result[at] = random.integer(0, 256);
    else if (kind < 6) result[at] = EDGES[random.integer(0, EDGES.length)];
    else if (kind < 7) result[at] ^= 1 << random.integer(0, 8);
    else if (kind < 8) result = result.subarray(0, at);
    else if (kind < 9)
      result = Buffer.concat([result.subarray(0, at), result.subarray(at + random.integer(1, 9))]);
    else {
      const from = random.integer(0, result.length);
      const piece = result.subarray(from, from + random.integer(1, 40));
      result = Buffer.concat([result.subarray(0, at), piece, result.subarray(at)]);
    }
  }
  return result;
}
