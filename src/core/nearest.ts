/** The name that a misspelt, or differently prefixed, name most likely stands for. */

/** Number of letters to insert, delete or replace to get from `a` to `b` (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j] + 1, current[j - 1] + 1));
    }
    previous = current;
  }
  return previous[b.length];
}

/**
 * The nearest candidate, upper and lower case alike.
 *
 * @param tolerance share of the letters that may differ, rounded up
 * @returns undefined when all candidates differ in more
 */
export function nearest(word: string, candidates: Iterable<string>, tolerance = 1 / 3): string | undefined {
  let best: string | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const longer = Math.max(word.length, candidate.length);
    // Nothing that long is a misspelling of ours, and the work grows with the square.
    if (longer > 200) continue;
    // The difference in length is a lower bound, and cheap.
    if (Math.abs(word.length - candidate.length) >= lowest) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= Math.ceil(longer * tolerance) && distance < longer && distance < lowest) {
      best = candidate;
      lowest = distance;
    }
  }
  return best;
}
