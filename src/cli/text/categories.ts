/** The table of `scrl coco-eval --per-category`. */

import type { CategoryRow } from '../../recipes/coco-eval/categories.js';
import { formatTable } from '../../report/table.js';

/** Categories from the best AP to the worst, figures in percent. */
export function categoryText(rows: readonly CategoryRow[]): string {
  const names = Object.keys(rows[0]?.figures ?? {});
  const sorted = rows.toSorted((a, b) => (b.figures[names[0]] ?? 0) - (a.figures[names[0]] ?? 0));
  return formatTable(
    ['category', 'objects', 'results', ...names],
    sorted.map(({ name, objects, results, figures }) => [
      name,
      objects,
      results,
      ...names.map((key) => (figures[key] < 0 ? '-' : (100 * figures[key]).toFixed(1))),
    ]),
  );
}
