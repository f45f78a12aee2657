/** What `scrl convert` says of its work. */

import { formatBytes } from '../../core/clock.js';
import type { ConversionReport } from '../../recipes/convert/report.js';

export function conversionText({ input, network, account, output }: ConversionReport): string {
  const { used, dropped, leftover, missing, wrong } = account;
  const lines = [`${input.path}: ${input.format}, ${formatBytes(input.bytes)}`, `  sha256   ${input.sha256}`];
  if (network !== undefined) {
    const { family, architecture, place, role, parameters, detector, others } = network;
    lines.push(
      `  family   ${family}`,
      `  network  ${architecture}, ${role}, at ${place === '' ? '(no prefix)' : place}, ${count(parameters)} parameters`,
    );
    if (detector !== undefined) {
      lines.push(`  detector ${detector.classes} classes, names of ${detector.spelling}`);
    }
    if (others.length > 0) lines.push(`  also     ${others.join(', ')}: choose with --network or --prefix`);
  }
  lines.push(`  used     ${used.length} tensors`);
  for (const [reason, names] of grouped(dropped)) {
    lines.push(
      `  dropped  ${names.length}: ${reason} (${names.slice(0, 2).join(', ')}${names.length > 2 ? ', ...' : ''})`,
    );
  }
  if (leftover.length > 0) lines.push(`  left over, as allowed: ${leftover.join(', ')}`);
  if (missing.length > 0) lines.push(`  missing, as allowed: ${missing.join(', ')}`);
  if (wrong.length > 0)
    lines.push(`  of another shape, as allowed: ${wrong.map(({ name }) => name).join(', ')}`);
  if (output === undefined) return [...lines, 'dry run: nothing was written'].join('\n');
  return [
    ...lines,
    `${output.path}: ${output.format}, ${output.names}, ${output.tensors} tensors, ${formatBytes(output.bytes)}`,
    `  sha256   ${output.sha256}`,
    '  read back and compared: equal, bit by bit',
  ].join('\n');
}

function grouped(dropped: ConversionReport['account']['dropped']): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, reason } of dropped) groups.set(reason, [...(groups.get(reason) ?? []), name]);
  return groups;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
