/** Lists in messages: long enough to understand, short enough to read. */

const MOST = 10;

/** A heading with the number of items, then a line for each of the first ones; nothing for an empty list. */
export function listed<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const lines = items.slice(0, MOST).map((item) => `    ${line(item)}`);
  const more = items.length > MOST ? [`    and ${items.length - MOST} more`] : [];
  return [`  ${title} (${items.length}):`, ...lines, ...more];
}
