/** The columns of figures: Mask R-CNN has two. */

import type { ColumnName, ResultsConfig } from '../../config/schemas/results.js';
import type { CellKind } from './cells.js';

export interface Column {
  readonly name: string;
  readonly title: string;
  readonly cell: CellKind;
  /** Key of the figure in a cell's result, percent. */
  readonly figure: string;
}

export const FIGURES = { online: 'val_top1', offline: 'top1', box: 'bbox/AP', mask: 'segm/AP' } as const;

const COLUMNS: Readonly<Record<ColumnName, readonly Column[]>> = {
  linear_online: [
    { name: 'linear_online', title: 'linear, online', cell: 'pretrain', figure: FIGURES.online },
  ],
  linear_offline: [
    { name: 'linear_offline', title: 'linear, offline', cell: 'linear', figure: FIGURES.offline },
  ],
  faster: [{ name: 'faster_box', title: 'Faster R-CNN, box AP', cell: 'faster', figure: FIGURES.box }],
  mask: [
    { name: 'mask_box', title: 'Mask R-CNN, box AP', cell: 'mask', figure: FIGURES.box },
    { name: 'mask_mask', title: 'Mask R-CNN, mask AP', cell: 'mask', figure: FIGURES.mask },
  ],
};

export function columnsOf({ columns }: ResultsConfig): Column[] {
  return columns.flatMap((column) => COLUMNS[column as ColumnName]);
}
