/**
 * The harness with fake contestants: small Node programs whose answers are known, so nothing here is timed. What they were
 * asked, and in which order, they append to a file.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Log } from '../../src/core/log.js';
import { SILENT } from '../../src/core/log.js';
import { Absent, BenchProcess, type Contestant } from '../../tools/bench/bench-process.js';
import { type Benchmark, runBenchmark } from '../../tools/bench/benchmark.js';
import { interleave } from '../../tools/bench/interleave.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'scrl-bench-test-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const READY = '{"ready":{"versions":{"fake":"1"},"threads":2}}';

/** Answers every request, after noting it, with the text that `answer` makes of the count. */
function fake(name: string, first: string, answer = '', note = join(FOLDER, 'unused')): Contestant {
  const program = `
    const { appendFileSync } = require('node:fs');
    const [name, first, answer, note] = process.argv.slice(1);
    console.log(first);
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      appendFileSync(note, name + ': ' + line + '\\n');
      if (answer === '') process.exit(3);
      if (name === 'talkative') console.log('a library says something');
      console.log(JSON.stringify({ ms: Array(Number(line.split(' ')[1])).fill(Number(answer)) }));
    });`;
  return { name, command: process.execPath, args: ['-e', program, name, first, answer, note] };
}

function benchmark(ours: Contestant, peers: Contestant[]): Benchmark {
  const settings = { side: 64 };
  const sizes = { title: 'a title', unit: 'ms', settings };
  return { ours, peers, cases: [{ bench: 'fake', ...sizes, request: 'step 3', warmUp: 'step 1' }] };
}

it('gives one result per peer, with the ratio of medians and what each said about itself', async () => {
  const peers = [fake('talkative', READY, '20'), fake('half', READY, '5')];
  const results = await runBenchmark(benchmark(fake('us', READY, '10'), peers), {
    rounds: 2,
    log: SILENT,
    pauseMs: 0,
  });
  expect(results.map(({ peer, ratio }) => [peer?.name, ratio])).toEqual([
    ['talkative', 2],
    ['half', 0.5],
  ]);
  const [{ ours, bench, rounds, settings }] = results;
  expect({ bench, rounds, settings }).toEqual({ bench: 'fake', rounds: 2, settings: { side: 64 } });
  expect(ours).toMatchObject({
    name: 'us',
    median: 10,
    all: [10, 10, 10, 10, 10, 10],
    versions: { fake: '1' },
    threads: 2,
  });
});

it('lets the contestants take turns, in reversed order every other round, after a warm-up that does not count', async () => {
  const note = join(FOLDER, 'order');
  const contestants = benchmark(fake('a', READY, '1', note), [fake('b', READY, '1', note)]);
  await runBenchmark(contestants, { rounds: 3, log: SILENT, pauseMs: 0 });
  const asked = readFileSync(note, 'utf8').trimEnd().split('\n');
  const turn = (name: string): string => `${name}: step 3`;
  expect(asked.slice(0, 2)).toEqual(['a: step 1', 'b: step 1']);
  expect(asked.slice(2)).toEqual(['a', 'b', 'b', 'a', 'a', 'b'].map(turn));
});

it('keeps the times of each contestant apart', async () => {
  const contestant = (ms: number) => ({ request: async () => [ms, ms + 1] });
  const times = await interleave([contestant(1), contestant(10)], {
    rounds: 2,
    request: 'step 2',
    warmUp: 'step 1',
    pauseMs: 0,
  });
  expect(times).toEqual([
    [1, 2, 1, 2],
    [10, 11, 10, 11],
  ]);
});

it('says which peer is absent and why, and measures ours alone', async () => {
  const warnings: string[] = [];
  const log: Log = { ...SILENT, warn: (message) => warnings.push(message) };
  const peers = [
    fake('without torch', '{"absent":"No module named torch"}'),
    { name: 'without Python', command: join(FOLDER, 'python'), args: [] },
  ];
  const results = await runBenchmark(benchmark(fake('us', READY, '10'), peers), {
    rounds: 1,
    log,
    pauseMs: 0,
  });
  expect(results.map(({ peer, ratio }) => ({ peer, ratio }))).toEqual([
    { peer: { name: 'without torch', absent: 'No module named torch' }, ratio: null },
    {
      peer: { name: 'without Python', absent: `there is no program ${join(FOLDER, 'python')}` },
      ratio: null,
    },
  ]);
  expect(results[0].ours.median).toBe(10);
  expect(warnings).toEqual([
    'without torch is absent: No module named torch',
    `without Python is absent: there is no program ${join(FOLDER, 'python')}`,
  ]);
});

it('works without any peer', async () => {
  const results = await runBenchmark(benchmark(fake('us', READY, '10'), []), {
    rounds: 1,
    log: SILENT,
    pauseMs: 0,
  });
  expect(results).toHaveLength(1);
  expect(results[0]).toMatchObject({ peer: null, ratio: null, ours: { median: 10 } });
});

it('fails when our own side is absent', async () => {
  const run = runBenchmark(benchmark(fake('us', '{"absent":"no engine"}'), []), { rounds: 1, log: SILENT });
  await expect(run).rejects.toThrow('us is absent: no engine');
});

it('fails, naming the contestant and the request, when one ends in the middle', async () => {
  const run = runBenchmark(benchmark(fake('us', READY, '10'), [fake('dying', READY)]), {
    rounds: 1,
    log: SILENT,
    pauseMs: 0,
  });
  await expect(run).rejects.toThrow('dying ended before it answered `step 1`; its own message is above');
});

it('fails when one ends before it is ready', async () => {
  const contestant = { name: 'broken', command: process.execPath, args: ['-e', '0'] };
  await expect(BenchProcess.start(contestant)).rejects.toThrow('broken ended before it was ready');
});

it.each(['{"ms":[]}', '{"ms":[0]}', '{"ms":["1"]}', '{"error":"?"}'])(
  'does not take %s for times',
  async (answer) => {
    const program = `console.log(${JSON.stringify(READY)}); process.stdin.on('data', () => console.log(${JSON.stringify(answer)}))`;
    const started = await BenchProcess.start({
      name: 'odd',
      command: process.execPath,
      args: ['-e', program],
    });
    if (started instanceof Absent) throw new Error(started.reason);
    await expect(started.request('step 1')).rejects.toThrow(
      `odd answered ${answer} to \`step 1\`; expected times in ms`,
    );
    await started.close();
  },
);

it('ends its processes and reads their memory while they live', async () => {
  const started = await BenchProcess.start(fake('us', READY, '10'));
  if (started instanceof Absent) throw new Error(started.reason);
  const bytes = await started.peakMemory();
  if (process.platform === 'linux') expect(bytes).toBeGreaterThan(10e6);
  await started.close();
  await started.close();
  expect(await started.peakMemory()).toBeUndefined();
});
