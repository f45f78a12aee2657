/** The key or value that somebody probably meant. */

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

/** The nearest candidate, upper and lower case alike; undefined when more than a third of the letters differ. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // Nothing that long is a misspelling of ours, and the table would grow with the square.
  if (word.length > 200) return undefined;
  let best: string | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const limit = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (distance <= limit && distance < lowest) {
      best = candidate;
      lowest = distance;
    }
  }
  return best;
}

/**
 * The path that was probably meant by an unknown one: a misspelling in its section, the same name in another section,
 * or a path that is spelled alike.
 */
export function nearestPath(path: string, known: Iterable<string>): string | undefined {
  const paths = [...known];
  const section = path.slice(0, path.lastIndexOf('/') + 1);
  const name = path.slice(section.length);
  const siblings = paths.filter(
    (other) => other.startsWith(section) && !other.slice(section.length).includes('/'),
  );
  const sameName = paths.filter((other) => other === name || other.endsWith(`/${name}`));
  return (
    nearest(
      path,
      siblings.filter((other) => nearest(name, [other.slice(section.length)]) !== undefined),
    ) ??
    closestOf(path, sameName) ??
    nearest(path, paths)
  );
}

function closestOf(path: string, candidates: readonly string[]): string | undefined {
  return candidates.toSorted((a, b) => editDistance(path, a) - editDistance(path, b))[0];
}
