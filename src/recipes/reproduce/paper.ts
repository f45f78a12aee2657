/**
 * The table of the SCRL reference's README: ResNet-50 on ImageNet, COCO 1x. Shown beside ours, never mixed with them. By row,
 * then by the names of our columns; percent.
 */

export interface PaperRow {
  readonly row: string;
  readonly epochs: number | undefined;
  readonly figures: Readonly<Record<string, number>>;
}

const COLUMNS = ['linear_online', 'linear_offline', 'faster_box', 'mask_box', 'mask_mask'];

function row(name: string, epochs: number | undefined, ...values: readonly (number | undefined)[]): PaperRow {
  const given = COLUMNS.flatMap((column, i) => (values[i] === undefined ? [] : [[column, values[i]]]));
  return { row: name, epochs, figures: Object.fromEntries(given) };
}

export const PAPER: readonly PaperRow[] = [
  row('random', undefined, undefined, undefined, 29.77, 30.95, 28.7),
  row('supervised', 90, undefined, 74.3, 38.52, 39.0, 35.44),
  row('byol', 200, 72.9, 73.14, 38.35, 38.86, 35.96),
  row('byol', 1000, 74.47, 74.51, 40.1, 40.19, 37.16),
  row('scrl', 200, 66.78, 68.27, 40.49, 41.02, 37.5),
  row('scrl', 1000, 70.67, 70.66, 40.92, 41.4, 37.92),
];
