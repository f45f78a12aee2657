/** Whether a process that left its number in a file still lives. */

import { readFile } from 'node:fs/promises';
import { hasCode } from './errors.js';

export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/**
 * When a process started, in clock ticks since the machine did; empty where it cannot be found out, as without /proc.
 * After kill -9, or in a restarted container, another process may have the same number, but not the same birth.
 */
export async function birthOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses and may hold blanks; the start is field 22.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
