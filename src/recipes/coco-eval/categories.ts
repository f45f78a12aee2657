/** Figures of each category. */

import { perCategory } from '../../pycocotools/evaluation/per-category.js';
import type { Summary } from '../../pycocotools/evaluation/summarize.js';
import type { FileEvaluation } from '../../pycocotools/files/evaluate-files.js';

export interface CategoryRow {
  id: number;
  name: string;
  /** Annotations of the category, crowds included. */
  objects: number;
  /** Results of it. */
  results: number;
  /** By short name; -1 without ground truth. */
  figures: Record<string, number>;
}

export function categoryRows({ curves, params, dataset, results }: FileEvaluation): CategoryRow[] {
  const count = ({ count: rows, columns }: typeof results) => {
    const counts = new Map<number, number>();
    for (let row = 0; row < rows; row++) {
      const id = columns.category[row];
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  };
  const [objects, found] = [count(dataset.annotations), count(results)];
  return perCategory(curves, params, dataset.categories).map(({ category: { id, name }, summary }) => ({
    id,
    name,
    objects: objects.get(id) ?? 0,
    results: found.get(id) ?? 0,
    figures: Object.fromEntries(summary.map((line) => [shortName(line), line.value])),
  }));
}

/** AP, AP50, APs, AR100, ...: what papers call a line of the summary. */
export function shortName({ precision, iouThr, area, maxDets, frequency }: Summary): string {
  const size = area === 'all' ? '' : area.slice(0, 1);
  const threshold = iouThr === undefined ? '' : String(Math.round(100 * iouThr));
  const most = precision || size !== '' || threshold !== '' ? '' : `@${maxDets}`;
  return `${precision ? 'AP' : 'AR'}${threshold}${size}${frequency ?? ''}${most}`;
}
