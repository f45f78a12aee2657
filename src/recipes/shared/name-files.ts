/** Files that cannot be used, for people: the first few by name, with what is wrong with each. */

interface Problem {
  readonly path: string;
  readonly reason: string;
}

const MOST = 3;

/** Lines to stand behind a sentence; empty when there are no files. A file that is there twice is named once. */
export function nameFiles(problems: readonly Problem[]): string {
  const reasons = new Map(problems.map(({ path, reason }) => [path, reason]));
  const named = [...reasons].slice(0, MOST).map(([path, reason]) => `\n  ${path}: ${reason}`);
  const others = reasons.size > MOST ? `\n  and ${reasons.size - MOST} more` : '';
  return named.join('') + others;
}
