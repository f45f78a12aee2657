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
  let best: string | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const longer = Math.max(word.length, candidate.length);
    // Nothing that long is a misspelling of ours, and the work grows with the square.
    if (longer > 200) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= Math.ceil(longer / 3) && distance < longer && distance < lowest) {
      best = candidate;
      lowest = distance;
    }
  }
  return best;
}

/**
 * The path that was probably meant by an unknown one: a misspelling of one in the same section, else the same name in
 * another section, else a path of which every part is misspelled at most.
 */
export function nearestPath(path: string, known: Iterable<string>): string | undefined {
  const paths = [...known];
  const section = path.slice(0, path.lastIndexOf('/') + 1);
  const name = path.slice(section.length);
  const siblings = paths
    .filter((other) => other.startsWith(section))
    .map((other) => other.slice(section.length))
    .filter((other) => !other.includes('/'));
  const sibling = nearest(name, siblings);
  if (sibling !== undefined) return section + sibling;
  const sameName = paths.filter((other) => other.endsWith(`/${name}`));
  const alike = paths.filter((other) => partsAreNear(path.split('/'), other.split('/')));
  return closest(path, sameName) ?? closest(path, alike);
}

function partsAreNear(parts: readonly string[], others: readonly string[]): boolean {
  return parts.length === others.length && parts.every((part, i) => nearest(part, [others[i]]) !== undefined);
}

function closest(path: string, candidates: readonly string[]): string | undefined {
  return candidates.toSorted((a, b) => editDistance(path, a) - editDistance(path, b))[0];
}
