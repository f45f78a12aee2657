/**
 * Kills a training run again and again with SIGKILL, resumes it each time, and compares its losses with those of the same
 * run left alone.
 *
 *     node dist/tools/kill-resume.js --config configs/quickstart.yaml --dataset/root PHOTOS [--kills 30] [-- MORE FLAGS]
 *
 * The kills are spread over the whole run, some of them while the program starts.
 *
 * Prints one JSON line {kills, resumes, steps, equal, largestDifference}; exit code 1 when a resume fails or a step is missing.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RandomStream } from '../src/core/rng.js';

const CLI = join(import.meta.dirname, '../src/cli/scrl.cjs');

interface Outcome {
  kills: number;
  steps: number;
  equal: number;
  largestDifference: number;
}

async function main(args: string[]): Promise<void> {
  const at = args.indexOf('--kills');
  const kills = at < 0 ? 30 : Number(args[at + 1]);
  const flags = at < 0 ? args : args.toSpliced(at, 2);
  const folder = await mkdtemp(join(tmpdir(), 'kill-resume-'));
  try {
    const outcome = await compare(flags, kills, folder);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(flags: string[], kills: number, folder: string): Promise<Outcome> {
  const alone = join(folder, 'alone');
  const began = performance.now();
  const child = run([...flags, '--save_dir', alone]);
  const ended = finish(child);
  const started = await Promise.race([firstStep(alone), ended]).then(() => performance.now() - began);
  await ended;
  const training = performance.now() - began - started;
  const expected = await losses(alone);

  const killed = join(folder, 'killed');
  const stream = new RandomStream(1, 'kills');
  let done = 0;
  for (; done < kills; done++) {
    const child = run([...flags, '--save_dir', killed]);
    const ended = await Promise.race([
      finish(child).then(() => true),
      sleep(stream.between(0.5, 1.1) * started + (stream.between(0, 1.6) * training) / kills).then(
        () => false,
      ),
    ]);
    if (ended) break;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
  }
  await finish(run([...flags, '--save_dir', killed]));
  const actual = await losses(killed);
  const differences = expected.map((loss, step) => Math.abs(loss - actual[step]));
  if (actual.length !== expected.length || differences.some(Number.isNaN)) {
    throw new Error(`${actual.length} steps instead of ${expected.length}`);
  }
  return {
    kills: done,
    steps: expected.length,
    equal: differences.filter((difference) => difference === 0).length,
    largestDifference: Math.max(...differences),
  };
}

/** Resolves when a run has written its first step. */
async function firstStep(folder: string): Promise<void> {
  for (;;) {
    const size = await stat(join(folder, 'metrics.jsonl')).then(
      ({ size }) => size,
      () => 0,
    );
    if (size > 0) return;
    await sleep(50);
  }
}

function run(flags: string[]) {
  return spawn(process.execPath, [CLI, 'pretrain', '--no_pbar', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** @throws Error with the last lines when the process fails */
async function finish(child: ReturnType<typeof run>): Promise<void> {
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-2000);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  if (code !== 0 && signal === null) throw new Error(`a run failed with exit code ${code}:\n${said}`);
}

async function losses(folder: string): Promise<number[]> {
  const lines = (await readFile(join(folder, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const out: number[] = [];
  for (const line of lines) {
    const { step, loss } = JSON.parse(line) as { step: number; loss: number };
    out[step] = loss;
  }
  return out;
}

await main(process.argv.slice(2));
