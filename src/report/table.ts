/** Tables for terminals and log files: columns two blanks apart, numbers to the right, no colours. */

import { visibleLine } from '../core/visible.js';
import { textWidth } from './text-width.js';

/** Already formatted texts, or numbers that are printed as they are; undefined leaves the cell empty. */
export type Cell = string | number | undefined;

const NUMBER = /^(?:[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?(?: ?%)?|-|nan|[-+]?inf(?:inity)?)$/i;

/**
 * Lines of equal columns: the header, a rule, one line per row. A column in which every filled cell is a number (or `-`)
 * is aligned to the right.
 *
 * @returns the table without a final line break
 * @throws RangeError when a row has more cells than the header
 */
export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  for (const row of rows) {
    if (row.length > header.length) {
      throw new RangeError(`table: a row has ${row.length} cells, but the header ${header.length}`);
    }
  }
  const body = rows.map((row) => header.map((_, column) => visibleLine(String(row[column] ?? ''))));
  const columns = header.map((name, column) => {
    const cells = body.map((row) => row[column]);
    const filled = cells.filter((cell) => cell !== '');
    return {
      // Not by spreading: a file may have more names than a function takes arguments.
      width: cells.reduce((most, cell) => Math.max(most, textWidth(cell)), textWidth(name)),
      right: filled.length > 0 && filled.every((cell) => NUMBER.test(cell)),
    };
  });
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ width, right }, column) => {
        const blanks = ' '.repeat(width - textWidth(cells[column]));
        return right ? blanks + cells[column] : cells[column] + blanks;
      })
      .join('  ')
      .trimEnd();
  const rule = columns.map(({ width }) => '-'.repeat(width));
  return [header, rule, ...body].map(line).join('\n');
}
