/** What `scrl inspect` says of a file. */

import { formatBytes } from '../../core/clock.js';
import type { Inspection } from '../../recipes/inspect/index.js';
import { formatTable } from '../../report/table.js';

export function inspectionText(report: Inspection): string {
  const { path, format, bytes, sha256, networks, tensors, values, metadata, unsupported } = report;
  const lines = [`${path}: ${format}, ${formatBytes(bytes)}`, `sha256 ${sha256}`];
  if (networks.length === 0) lines.push('no network that is known');
  for (const { place, family, architecture, role, names, detector, complete } of networks) {
    const whole = complete ? '' : ', incomplete';
    const behind =
      detector === undefined ? '' : `, detector of ${detector.classes} classes (${detector.spelling})`;
    lines.push(
      `${architecture} at ${place === '' ? '(no prefix)' : place}: ${family}, ${role}, names of ${names}${behind}${whole}`,
    );
  }
  const sections: [string, Readonly<Record<string, string>>][] = [
    ['values', values],
    ['metadata', metadata],
    ['of element types that are not read', unsupported],
  ];
  for (const [title, entries] of sections) {
    const rows = Object.entries(entries);
    if (rows.length > 0) lines.push('', `${title}:`, ...rows.map(([key, text]) => `  ${key}: ${text}`));
  }
  const rows = tensors.map(({ name, dtype, shape, min, max, mean, nonFinite }) => [
    name,
    dtype,
    `[${shape.join(', ')}]`,
    number(min),
    number(max),
    number(mean),
    nonFinite === 0 ? '' : String(nonFinite),
  ]);
  const header = ['tensor', 'dtype', 'shape', 'min', 'max', 'mean', 'not finite'];
  return [...lines, '', formatTable(header, rows)].join('\n');
}

function number(value: number | undefined): string {
  return value === undefined ? '-' : String(Number(value.toPrecision(5)));
}
