/**
 * `npm run bench`: measures scrl against what people use today, in one run, as a ratio.
 *
 * JSON lines on standard output, one per case and peer, so that `npm run --silent bench > results.jsonl` is a record; progress and a
 * table for people on standard error. Usage in `arguments.ts`, the method in docs/performance.md.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/core/errors.js';
import type { Log } from '../../src/core/log.js';
import { writeCoco } from '../coco/write.js';
import { type BenchArguments, parseArguments, USAGE } from './arguments.js';
import { type BenchmarkOptions, runBenchmark } from './benchmark.js';
import { cocoCases } from './coco.js';
import { runCommands } from './commands.js';
import { convertCase, writeResNet50 } from './convert.js';
import { detectBenchmarks } from './detect.js';
import { forwardBenchmark } from './forward.js';
import { pipelineBenchmark } from './pipeline.js';
import { formatResults, type Result } from './result.js';
import { stepBenchmark } from './step.js';

const OURS = fileURLToPath(new URL('./', import.meta.url));
/** Python is not compiled: from dist/tools/bench back to the sources. */
const PEERS = fileURLToPath(new URL('../../../tools/peers/', import.meta.url));

/** Load per core from which on the user is warned. */
const BUSY = 0.5;

const LOG: Log = {
  info: (message) => console.error(message),
  warn: (message) => console.error(`warning: ${message}`),
  debug() {},
};

async function main(): Promise<void> {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const [load] = loadavg();
  if (load > BUSY * availableParallelism()) {
    // Threads that wait by spinning lose their turns to other programs: a busy machine can cost a factor of ten.
    LOG.warn(`this machine is busy (load ${load.toFixed(1)}); repeat this when nothing else runs`);
  }
  for (const name of options.names) {
    const settings = { rounds: options.rounds, log: LOG };
    if (name === 'step') print(await runBenchmark(stepBenchmark(options, OURS, PEERS), settings));
    else if (name === 'forward') print(await runBenchmark(forwardBenchmark(options, OURS, PEERS), settings));
    else if (name === 'detect') await runDetect(options, settings);
    else if (name === 'pipeline') print(await runPipeline(options, settings));
    else if (name === 'coco') await runCocoCases(options, settings);
    else await runConvert(options, settings);
  }
}

async function runDetect(options: BenchArguments, settings: BenchmarkOptions): Promise<void> {
  for (const one of detectBenchmarks(options, OURS, PEERS)) print(await runBenchmark(one, settings));
}

/** The files live in a temporary folder for as long as the benchmark. */
async function runCocoCases(options: BenchArguments, settings: BenchmarkOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'scrl-bench-'));
  try {
    const files = { val: join(folder, 'val'), train: join(folder, 'train') };
    LOG.info('making annotation files');
    await writeCoco(files.val, { images: 5000, objects: 34_000, detections: 500_000, seed: 0 });
    await writeCoco(files.train, { images: 118_287, objects: 860_001, detections: 0, seed: 0 });
    for (const one of cocoCases(files, options, OURS, PEERS)) print(await runCommands(one, settings));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The file lives in a temporary folder for as long as the benchmark. */
async function runConvert(options: BenchArguments, settings: BenchmarkOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'scrl-bench-'));
  try {
    await writeResNet50(join(folder, 'resnet50.pth'));
    print(await runCommands(convertCase(folder, options, OURS, PEERS), settings));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The pictures live in a temporary folder for as long as the benchmark. */
async function runPipeline(options: BenchArguments, settings: BenchmarkOptions): Promise<Result[]> {
  const photos = await mkdtemp(join(tmpdir(), 'scrl-bench-'));
  try {
    LOG.info('making pictures');
    return await runBenchmark(await pipelineBenchmark(options, photos, OURS, PEERS), settings);
  } finally {
    await rm(photos, { recursive: true, force: true });
  }
}

function print(results: readonly Result[]): void {
  for (const result of results) console.log(JSON.stringify(result));
  for (const name of new Set(results.map(({ bench }) => bench))) {
    console.error(`\n${formatResults(results.filter(({ bench }) => bench === name))}\n`);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
}
