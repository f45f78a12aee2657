/** Collects what is wrong with a data set, so that all of it is said at once: the first few in words, the others by kind. */

import { UserError } from '../core/errors.js';

/** What is wrong; the text stands behind a number. */
export const FAULTS = {
  file: 'files that cannot be used',
  size: 'images of another size than the annotations say',
  image: 'images that are listed wrongly',
  category: 'categories that are listed wrongly',
  box: 'boxes of no area or outside the image',
  mask: 'masks that are missing or damaged',
  reference: 'annotations of images or categories that are not listed',
} as const;

export type FaultKind = keyof typeof FAULTS;

const SHOWN = 20;

export class Faults {
  readonly #lines: string[] = [];
  readonly #counts = new Map<FaultKind, number>();

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** @param line which entry, and what is wrong with it */
  add(kind: FaultKind, line: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (this.#lines.length < SHOWN) this.#lines.push(line);
  }

  has(...kinds: FaultKind[]): boolean {
    return kinds.some((kind) => this.#counts.has(kind));
  }

  /** `3 masks that are missing or damaged, 1 files that cannot be used` */
  summary(): string {
    return [...this.#counts].map(([kind, count]) => `${count} ${FAULTS[kind]}`).join(', ');
  }

  /** A line for each of the first faults, and one for the rest. */
  list(): string {
    const more = this.total - this.#lines.length;
    return [...this.#lines, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => `\n  ${line}`).join('');
  }

  error(where: string, remedy: string): UserError {
    return new UserError(`${this.summary()}${this.list()}`, { where, remedy });
  }
}
