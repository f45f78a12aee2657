/** What `scrl inspect` says of two files. */

import type { Comparison } from '../../recipes/inspect/compare.js';
import { formatTable } from '../../report/table.js';

export function comparisonText({ files, by, equal, onlyFirst, onlySecond, different }: Comparison): string {
  const lines = [`first:  ${files[0]}`, `second: ${files[1]}`];
  if (by === 'network')
    lines.push('no common names: the backbones are compared, by the names of torchvision');
  lines.push(`${equal} tensors are equal, bit by bit`);
  for (const [title, names] of [
    ['only in the first', onlyFirst],
    ['only in the second', onlySecond],
  ] as const) {
    if (names.length > 0) lines.push(`${names.length} ${title}:`, ...names.map((name) => `  ${name}`));
  }
  if (different.length === 0) return lines.join('\n');
  const rows = different.map(({ name, types, count, elements, largest, relative }) => [
    name,
    types === undefined ? '' : types.join(' / '),
    count === undefined ? '' : `${count} of ${elements}`,
    largest === undefined ? '' : String(Number(largest.toPrecision(4))),
    relative === undefined ? '' : String(Number(relative.toPrecision(4))),
  ]);
  const header = ['different', 'types', 'values', 'largest difference', 'relative'];
  return [...lines, `${different.length} differ:`, '', formatTable(header, rows)].join('\n');
}
