/** The configuration key that somebody probably meant. */

import { editDistance, nearest } from '../core/nearest.js';

/**
 * The path that was probably meant by an unknown one: one that ends so (`lr`, `max-epochs`; the first of several), a
 * misspelling of one in the same section, else the same name in another section, else a path of which every part is
 * misspelled at most, else one of which the end is.
 */
export function nearestPath(path: string, known: Iterable<string>): string | undefined {
  const paths = [...known];
  const section = path.slice(0, path.lastIndexOf('/') + 1);
  const name = path.slice(section.length);
  const ending = `/${path.replaceAll('-', '_')}`;
  const sameEnd = paths.find((other) => `/${other}`.endsWith(ending));
  if (sameEnd !== undefined) return sameEnd;
  const siblings = paths
    .filter((other) => other.startsWith(section))
    .map((other) => other.slice(section.length))
    .filter((other) => !other.includes('/'));
  const sibling = nearest(name, siblings);
  if (sibling !== undefined) return section + sibling;
  const sameName = paths.filter((other) => other.endsWith(`/${name}`));
  const alike = paths.filter((other) => partsAreNear(path.split('/'), other.split('/')));
  return closest(path, sameName) ?? closest(path, alike) ?? nearEnding(path, paths);
}

function partsAreNear(parts: readonly string[], others: readonly string[]): boolean {
  return parts.length === others.length && parts.every((part, i) => nearest(part, [others[i]]) !== undefined);
}

function closest(path: string, candidates: readonly string[]): string | undefined {
  return candidates.toSorted((a, b) => editDistance(path, a) - editDistance(path, b))[0];
}

/** The first of the paths that end most like this one. Short words are like too many others. */
function nearEnding(path: string, paths: readonly string[]): string | undefined {
  if (path.length < 5) return undefined;
  const parts = path.split('/');
  const ends = paths.map((other) => other.split('/').slice(-parts.length));
  const near = ends.filter((end) => partsAreNear(parts, end)).map((end) => end.join('/'));
  const best = closest(path, near);
  return paths.find((other) => best !== undefined && `/${other}`.endsWith(`/${best}`));
}
