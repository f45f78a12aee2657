/**
 * The cells of a plan: runs, each of one row and one seed. Linear evaluation and both detectors take the backbone of their
 * row's pretraining.
 */

import { type ColumnName, parseRow, type ResultsConfig } from '../../config/schemas/results.js';

export type CellKind = 'pretrain' | 'linear' | 'faster' | 'mask';

/** What a row is made from. */
export type RowSource =
  | { readonly kind: 'random' }
  | { readonly kind: 'pretrained'; readonly method: Method }
  | { readonly kind: 'weights'; readonly path: string };

export type Method = 'supervised' | 'byol' | 'scrl';

export interface Row {
  readonly name: string;
  readonly source: RowSource;
}

export interface Cell {
  /** `scrl-seed0-mask` */
  readonly id: string;
  readonly kind: CellKind;
  readonly row: Row;
  readonly seed: number;
  /** The pretraining that its backbone is taken from. */
  readonly needs?: Cell;
}

export function rowsOf({ rows }: ResultsConfig): Row[] {
  return rows.map((row) => {
    const { name, weights } = parseRow(row);
    if (weights !== undefined) return { name, source: { kind: 'weights', path: weights } };
    if (name === 'random') return { name, source: { kind: 'random' } };
    return { name, source: { kind: 'pretrained', method: name as Method } };
  });
}

const CELL_OF: Readonly<Record<ColumnName, CellKind>> = {
  linear_online: 'pretrain',
  linear_offline: 'linear',
  faster: 'faster',
  mask: 'mask',
};

/** Seed by seed, so that there is a whole table, of one seed, as early as possible; what a cell needs comes before it. */
export function cellsOf(config: ResultsConfig): Cell[] {
  const kinds = config.columns.map((column) => CELL_OF[column as ColumnName]);
  return config.seeds.flatMap((seed) =>
    rowsOf(config).flatMap((row) => {
      const cell = (kind: CellKind): Cell => ({ id: `${row.name}-seed${seed}-${kind}`, kind, row, seed });
      const pretraining = row.source.kind === 'pretrained' ? cell('pretrain') : undefined;
      const others = kinds
        .filter((kind) => kind !== 'pretrain')
        .map((kind) => ({ ...cell(kind), ...(pretraining && { needs: pretraining }) }));
      return [...(pretraining === undefined ? [] : [pretraining]), ...others];
    }),
  );
}
