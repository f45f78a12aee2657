/**
 * One contestant of a benchmark as a child process: started, asked by lines, measured from outside, ended.
 *
 * The lines are those of `serve.ts`. Whatever else a library prints on standard output is passed on to standard error.
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { hasCode } from '../../src/core/errors.js';

/** What a contestant says about itself when it is ready. */
export interface ProcessInfo {
  versions: Record<string, string>;
  threads: number;
}

/** How to start a contestant. */
export interface Contestant {
  /** As it appears in the results, e.g. `PyTorch, NCHW`. */
  name: string;
  command: string;
  args: readonly string[];
  /** Added to the environment. */
  env?: Readonly<Record<string, string>>;
}

type Answer = { ready: ProcessInfo } | { absent: string } | { ms: number[] };

/** A contestant that cannot take part, because a program or package is not installed. */
export class Absent {
  readonly name: string;
  readonly reason: string;

  constructor(name: string, reason: string) {
    this.name = name;
    this.reason = reason;
  }
}

export class BenchProcess {
  readonly name: string;
  readonly info: ProcessInfo;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  private constructor(
    name: string,
    info: ProcessInfo,
    child: ChildProcessByStdio<Writable, Readable, null>,
    answers: AsyncIterator<string>,
  ) {
    this.name = name;
    this.info = info;
    this.#child = child;
    this.#answers = answers;
  }

  /**
   * Starts a contestant and waits until it is ready.
   *
   * @returns `Absent` when the program does not exist or says that it lacks a package
   * @throws Error when it ends or says something else instead
   */
  static async start({ name, command, args, env }: Contestant): Promise<BenchProcess | Absent> {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return new Absent(name, `there is no program ${command}`);
      throw error;
    }
    // A write to a process that has ended is noticed by the answer that never comes.
    child.stdin.on('error', () => undefined);
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await readAnswer(name, answers, 'it was ready');
    if ('ready' in first) return new BenchProcess(name, first.ready, child, answers);
    child.stdin.end();
    if ('absent' in first) return new Absent(name, first.absent);
    throw new Error(`${name} answered before it was ready: ${JSON.stringify(first)}`);
  }

  /**
   * @param request e.g. `step 4`
   * @returns milliseconds, at least one number
   * @throws Error when the process ends or answers something else
   */
  async request(request: string): Promise<number[]> {
    this.#child.stdin.write(`${request}\n`);
    const answer = await readAnswer(this.name, this.#answers, `it answered \`${request}\``);
    const times = 'ms' in answer ? answer.ms : undefined;
    if (!Array.isArray(times) || times.length === 0 || !times.every((ms) => Number.isFinite(ms) && ms > 0)) {
      throw new Error(
        `${this.name} answered ${JSON.stringify(answer)} to \`${request}\`; expected times in ms`,
      );
    }
    return times;
  }

  /** Largest resident size so far in bytes; undefined where the system has no /proc. */
  async peakMemory(): Promise<number | undefined> {
    try {
      const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
      const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(status) ?? [];
      return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Ends the input and waits until the process has ended. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exit;
  }
}

/** @param until for the error: what was waited for */
async function readAnswer(name: string, answers: AsyncIterator<string>, until: string): Promise<Answer> {
  for (;;) {
    const { done, value: line } = await answers.next();
    if (done) throw new Error(`${name} ended before ${until}; its own message is above`);
    if (line.startsWith('{')) return JSON.parse(line) as Answer;
    process.stderr.write(`${line}\n`);
  }
}
