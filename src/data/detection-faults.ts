/** Collects what is wrong with a data set, so that all of it is said at once: by kind, the first few of each in words. */

import { UserError } from '../core/errors.js';

/** What is wrong; the text stands behind a number. */
export const FAULTS = {
  image: 'images that are listed wrongly',
  category: 'categories that are listed wrongly',
  file: 'files that cannot be used',
  size: 'images of another size than the annotations say',
  reference: 'annotations of images or categories that are not listed',
  box: 'boxes of no area or outside the image',
  mask: 'masks that are missing or damaged',
} as const;

export type FaultKind = keyof typeof FAULTS;

/** Faults that are shown, shared by the kinds there are. */
const SHOWN = 20;

export class Faults {
  /** By kind, in the order of `FAULTS`. */
  readonly #kinds = new Map<FaultKind, { count: number; lines: string[] }>();

  get total(): number {
    return [...this.#kinds.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** @param line which entry, and what is wrong with it */
  add(kind: FaultKind, line: string): void {
    const found = this.#kinds.get(kind) ?? { count: 0, lines: [] };
    this.#kinds.set(kind, found);
    found.count++;
    if (found.lines.length < SHOWN) found.lines.push(line);
  }

  has(...kinds: FaultKind[]): boolean {
    return kinds.some((kind) => this.#kinds.has(kind));
  }

  /** For each kind how many there are and the first of them, on lines of their own. */
  list(): string {
    const share = Math.floor(SHOWN / this.#kinds.size);
    const kinds = (Object.keys(FAULTS) as FaultKind[]).flatMap((kind) => {
      const found = this.#kinds.get(kind);
      if (found === undefined) return [];
      const shown = found.lines.slice(0, share);
      const more = found.count - shown.length;
      return [
        `  ${found.count} ${FAULTS[kind]}:`,
        ...[...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => `    ${line}`),
      ];
    });
    return kinds.map((line) => `\n${line}`).join('');
  }

  error(where: string, remedy: string): UserError {
    return new UserError(`the data set has ${this.total} faults${this.list()}`, { where, remedy });
  }
}
