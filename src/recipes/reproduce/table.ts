/** From figures of cells to rows of a table, and to what can be said between rows. */

import {
  type PairedDifference,
  pairedDifference,
  type Spread,
  spreadOf,
} from '../../evaluation/statistics.js';
import type { Cell, Row } from './cells.js';
import type { Column } from './columns.js';
import type { CellResult } from './results-folder.js';

export interface Entry extends Spread {
  /** In the order of the seeds; of those that are done. */
  readonly values: readonly number[];
  /** Mean of the standard deviations over draws of the validation images; NaN when there was none. */
  readonly noise: number;
}

export interface TableRow {
  readonly row: Row;
  /** By column; absent where the row has no such figure. */
  readonly entries: Readonly<Record<string, Entry>>;
}

/** `a - b`, seed by seed. */
export interface Comparison {
  readonly a: string;
  readonly b: string;
  /** By column, where both have figures of a seed. */
  readonly differences: Readonly<Record<string, PairedDifference>>;
}

export interface ResultsTable {
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
  readonly comparisons: readonly Comparison[];
}

export interface Done {
  readonly cell: Cell;
  readonly result: CellResult;
}

/** Every row against the base line, and SCRL against each of the others. */
export function makeTable(
  rows: readonly Row[],
  columns: readonly Column[],
  done: readonly Done[],
): ResultsTable {
  const bySeed = (row: Row, { cell: kind, figure }: Column) =>
    new Map(
      done
        .filter(({ cell }) => cell.row.name === row.name && cell.kind === kind)
        .map(({ cell, result }) => [cell.seed, result] as const)
        .filter(([, { figures }]) => Number.isFinite(figures[figure])),
    );
  const entryOf = (row: Row, column: Column): Entry | undefined => {
    const results = [...bySeed(row, column).values()];
    if (results.length === 0) return undefined;
    const values = results.map(({ figures }) => figures[column.figure]);
    const noises = results.map(({ noise }) => noise[column.figure] ?? Number.NaN);
    return { ...spreadOf(values), values, noise: spreadOf(noises).mean };
  };
  const compare = (a: Row, b: Row): Comparison => ({
    a: a.name,
    b: b.name,
    differences: given(columns, (column) => {
      const others = bySeed(b, column);
      const pairs = [...bySeed(a, column)].flatMap(([seed, { figures }]) => {
        const other = others.get(seed);
        return other === undefined ? [] : [[figures[column.figure], other.figures[column.figure]] as const];
      });
      return pairs.length === 0 ? undefined : pairedDifference(pairs);
    }),
  });
  return {
    columns,
    rows: rows.map((row) => ({ row, entries: given(columns, (column) => entryOf(row, column)) })),
    comparisons: comparedRows(rows)
      .map(([a, b]) => compare(a, b))
      .filter(({ differences }) => Object.keys(differences).length > 0),
  };
}

function comparedRows(rows: readonly Row[]): [Row, Row][] {
  const random = rows.find(({ source }) => source.kind === 'random');
  const scrl = rows.find(({ name }) => name === 'scrl');
  const others = rows.filter((row) => row !== random);
  return [
    ...(random === undefined ? [] : others.map((row): [Row, Row] => [row, random])),
    ...(scrl === undefined ? [] : others.filter((row) => row !== scrl).map((row): [Row, Row] => [scrl, row])),
  ];
}

function given<T>(columns: readonly Column[], value: (column: Column) => T | undefined): Record<string, T> {
  return Object.fromEntries(
    columns.flatMap((column) => {
      const found = value(column);
      return found === undefined ? [] : [[column.name, found]];
    }),
  );
}
