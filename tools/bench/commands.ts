/**
 * Benchmarks of whole commands: what a user waits for, start of the interpreter and reading of the files included.
 */

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { Log } from '../../src/core/log.js';
import { describeMachine, median, type Result, resultsOf } from './result.js';

export interface Command {
  name: string;
  command: string;
  args: readonly string[];
}

interface Measured {
  ms: number;
  /** Bytes. */
  peak: number | undefined;
  out: string;
}

export interface CommandCase {
  bench: string;
  title: string;
  settings: Record<string, string | number>;
  commands: readonly [ours: Command, peer: Command];
  /** What both must agree on, taken from what they print. */
  figures(out: string): string;
  /** Runs before every command: removes what an earlier one left. */
  prepare?(): Promise<void>;
}

/**
 * Takes turns: A B, B A, ... Both print what they found, which must be the same.
 *
 * @throws Error when a command fails, or the figures differ
 */
export async function runCommands(
  { commands, figures: figuresOf, prepare, ...benchCase }: CommandCase,
  { rounds, log }: { rounds: number; log: Log },
): Promise<Result[]> {
  const machine = describeMachine();
  const runs: Measured[][] = commands.map(() => []);
  for (let round = 0; round < rounds; round++) {
    log.info(`${benchCase.bench}: round ${round + 1} of ${rounds}`);
    for (const i of round % 2 === 0 ? [0, 1] : [1, 0]) {
      await prepare?.();
      runs[i].push(await measure(commands[i]));
    }
  }
  const figures = runs.map(([{ out }]) => figuresOf(out));
  if (figures[0] !== figures[1]) throw new Error(`the figures differ: ${figures.join(' and ')}`);
  const entries = runs.map((all, i) => ({
    name: commands[i].name,
    median: median(all.map(({ ms }) => ms)),
    all: all.map(({ ms }) => ms),
    peak_rss_mb: all[0].peak === undefined ? null : Math.max(...all.map(({ peak = 0 }) => peak)) / 1e6,
    versions: {},
    threads: i === 0 ? cpus().length : 1,
  }));
  return resultsOf({ ...benchCase, unit: 'ms' }, rounds, entries, [], machine);
}

async function measure({ name, command, args }: Command): Promise<Measured> {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    out += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data;
  });
  // The kernel's own high-water mark, read until the process is gone.
  let peak: number | undefined;
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    if (kilobytes !== undefined) peak = 1024 * Number(kilobytes);
  }, 20);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => clearInterval(timer));
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${err.trim().split('\n').at(-1)}`);
  return { ms: performance.now() - started, peak, out };
}
