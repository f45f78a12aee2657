/**
 * The check at the end of all tests: no process that a test started is still there. All inherit a mark in their environment;
 * those that are found are ended, and the tests have failed. Linux only: elsewhere the environment of a process is not to
 * be seen.
 */

import { readdirSync, readFileSync } from 'node:fs';

const MARK = 'SCRL_TEST_RUN';
/** Vitest's own: on a busy machine one may still be ending. */
const VITEST_WORKER = /vitest.dist.workers/;

export default function setup(): () => void {
  const mark = `${MARK}=${process.pid}`;
  process.env[MARK] = String(process.pid);
  return () => {
    const left = processesWith(mark);
    if (left.length === 0) return;
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    const list = left.map(({ pid, command }) => `  ${pid} ${command}`).join('\n');
    process.stderr.write(`tests left ${left.length} processes behind:\n${list}\n`);
    process.exitCode = 1;
  };
}

function processesWith(mark: string): { pid: number; command: string }[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && read(pid, 'environ').split('\0').includes(mark))
    .map((pid) => ({ pid, command: read(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '' && !VITEST_WORKER.test(command));
}

/** Empty for a process that has ended or is another user's. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
