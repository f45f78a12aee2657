/**
 * Ids of images that a double cannot hold, texts and whole numbers beyond 2^53, as numbers that fit into a column: each gets
 * a code of its own from 2^53 on, where no id that is a number can be. What is compared is the id as JSON spells it, so
 * "7" is not 7, and two ids of 64 bits that are the same double stay two.
 */

import type { ImageId } from '../dataset/types.js';

const FIRST = 2 ** 53;
/** Doubles from `FIRST` on are even. */
const STEP = 2;

export class IdCodes {
  /** As in JSON: `"cat.jpg"` with its quotes, or digits. */
  readonly texts: string[] = [];
  readonly #codes = new Map<string, number>();

  constructor(texts: readonly string[] = []) {
    for (const text of texts) this.codeOf(text);
  }

  /** The code of an id that JSON spells like this; a new one when it was not seen before. */
  codeOf(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const code = FIRST + STEP * this.texts.length;
    this.#codes.set(text, code);
    this.texts.push(text);
    return code;
  }

  /** What stands in a column for an id. */
  encode(id: ImageId): number {
    return typeof id === 'number' ? id : this.codeOf(JSON.stringify(id));
  }

  /** The id of a column, as JSON spells it. */
  spell(code: number): string {
    return code < FIRST ? String(code) : this.texts[(code - FIRST) / STEP];
  }

  /** The id of a column; whole numbers that a double does not hold are texts. */
  decode(code: number): ImageId {
    if (code < FIRST) return code;
    const text = this.spell(code);
    return text.startsWith('"') ? (JSON.parse(text) as string) : text;
  }

  /** Rewrites a column with codes of `other` into these. @param column of `count` ids */
  adopt(column: Float64Array, count: number, other: IdCodes): void {
    if (other.texts.length === 0) return;
    const codes = other.texts.map((text) => this.codeOf(text));
    for (let row = 0; row < count; row++) {
      if (column[row] >= FIRST) column[row] = codes[(column[row] - FIRST) / STEP];
    }
  }
}
