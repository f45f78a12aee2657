/** The command lines of a page: those of its blocks without a language, and those between single backticks. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const COMMAND = /^(npx scrl|node dist|npm)\b/;

/** @param page relative to the root of the clone */
export function commandsOf(page: string): string[] {
  const text = readFileSync(join(import.meta.dirname, '../..', page), 'utf8');
  const blocks = [...text.matchAll(/^```\n(.*?)^```$/gms)].flatMap(([, block]) => linesOf(block));
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => oneLine(span));
  return [...new Set([...blocks, ...spans].filter((line) => COMMAND.test(line)))];
}

/** Lines that a backslash ends are continued; what stands behind a # is for people. */
function linesOf(block: string): string[] {
  return block
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => oneLine(line.replace(/\s#.*$/, '')));
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
