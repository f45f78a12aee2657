/** What was seen of a data set, in words and numbers. */

/** Files or annotations of one kind. */
export interface Finding {
  /** `duplicates`, `tiny`, ... */
  readonly kind: string;
  /** Behind a number: `files that hold the same picture as another`. */
  readonly what: string;
  readonly count: number;
  /** The first of them, with what is to be said of each. */
  readonly examples: readonly string[];
  /** What to do, or why nothing has to be done. */
  readonly advice: string;
  /** Training would refuse it. */
  readonly refused: boolean;
}

export interface DataReport {
  readonly where: string;
  readonly images: number;
  /** What there is: sizes, classes, objects; a line each. */
  readonly facts: readonly string[];
  readonly findings: readonly Finding[];
  /** What to train with; a line each. */
  readonly advice: readonly string[];
}

const SHOWN = 5;

/** Collects cases of one kind; nothing where there are none. */
export function finding(
  kind: string,
  what: string,
  cases: readonly string[],
  advice: string,
  { refused = false, count = cases.length } = {},
): Finding[] {
  if (count === 0) return [];
  return [{ kind, what, count, examples: cases.slice(0, SHOWN), advice, refused }];
}

/** The value below which half of them lie. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1];
}
