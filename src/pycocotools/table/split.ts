/** Where a list of objects may be cut, so that several threads can read it. */

import { closeSync, openSync, readSync } from 'node:fs';

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const QUOTE = 0x22;
const LOOK = 1 << 16;

/**
 * For each byte in `near` the next one at which an object of the list seems to begin: `}`, a comma, `{` and a quote. Text
 * or nested objects may look like that too, so who reads up to a cut must check that an element begins there.
 *
 * @returns as many bytes, or fewer where nothing is found; ascending
 */
export function findCuts(path: string, near: readonly number[]): number[] {
  const handle = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(LOOK);
    const cuts: number[] = [];
    for (const target of near) {
      const count = readSync(handle, bytes, 0, LOOK, target);
      const at = findObject(bytes.subarray(0, count));
      if (at > 0 && target + at > (cuts.at(-1) ?? 0)) cuts.push(target + at);
    }
    return cuts;
  } finally {
    closeSync(handle);
  }
}

function findObject(bytes: Uint8Array): number {
  const past = (at: number) => {
    while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
    return at;
  };
  for (let at = bytes.indexOf(CLOSE_OBJECT); at >= 0; at = bytes.indexOf(CLOSE_OBJECT, at + 1)) {
    const comma = past(at + 1);
    if (bytes[comma] !== COMMA) continue;
    const open = past(comma + 1);
    if (bytes[open] === OPEN_OBJECT && bytes[past(open + 1)] === QUOTE) return open;
  }
  return -1;
}
