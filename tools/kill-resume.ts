/** Kills a training run again and again, resumes it, and compares the losses; see `--help`. */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../src/core/errors.js';
import { RandomStream } from '../src/core/rng.js';
import { requirePositionals, runTool, wholeNumber } from './run-tool.js';

const CLI = join(import.meta.dirname, '../src/cli/scrl.cjs');

interface Outcome {
  kills: number;
  steps: number;
  equal: number;
  largestDifference: number;
}

const HELP = `Kills a pretraining with SIGKILL, resumes it, and so on, and compares its losses with those of the same run left alone.

  node dist/tools/kill-resume.js [--kills N] -- FLAGS

FLAGS are those of \`scrl pretrain\`, without a run folder. The kills, 30 of them or N, are spread over the whole run; some hit while
the program starts.

Prints one JSON line {kills, steps, equal, largestDifference}. Exit code 1 when a resume fails or a step is missing.

Example
  node dist/tools/kill-resume.js --kills 5 -- --config quickstart --dataset/root PHOTOS
`;

const OPTIONS = { kills: { type: 'string', default: '30' } } as const;

await runTool({ help: HELP, options: OPTIONS }, async ({ values, positionals, rest }) => {
  requirePositionals(positionals, 0, 'the flags of the pretraining behind --');
  if (rest.length === 0)
    throw new UserError('give the flags of the pretraining behind --', { remedy: 'see --help' });
  const kills = wholeNumber('kills', values.kills);
  const folder = await mkdtemp(join(tmpdir(), 'kill-resume-'));
  try {
    const outcome = await compare(rest, kills, folder);
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function compare(flags: readonly string[], kills: number, folder: string): Promise<Outcome> {
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

function run(flags: readonly string[]) {
  return spawn(process.execPath, [CLI, 'pretrain', '--no_pbar', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** @throws Error with the last lines when the process fails, UserError when that is for a mistake in its flags */
async function finish(child: ReturnType<typeof run>): Promise<void> {
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-2000);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  const problem = `a run failed with exit code ${code}:\n${said}`;
  if (code === 2) throw new UserError(problem);
  if (code !== 0 && signal === null) throw new Error(problem);
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
