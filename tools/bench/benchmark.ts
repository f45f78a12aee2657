/**
 * Runs one benchmark: starts its contestants one after the other, lets them take turns, and ends them whatever happens.
 * What is measured stands in `step.ts` and `pipeline.ts`; the form of the results in `result.ts`.
 */

import type { Log } from '../../src/core/log.js';
import { type Absent, BenchProcess, type Contestant } from './bench-process.js';
import { interleave } from './interleave.js';
import { type BenchCase, describeMachine, type Entry, median, type Result, resultsOf } from './result.js';

export interface Benchmark {
  ours: Contestant;
  peers: readonly Contestant[];
  /** Measured one after the other by the same processes. */
  cases: readonly (BenchCase & { request: string; warmUp: string })[];
}

export interface BenchmarkOptions {
  rounds: number;
  log: Log;
  pauseMs?: number;
}

/**
 * @returns one result per case and peer
 * @throws Error when our side is absent, or when anyone fails
 */
export async function runBenchmark(
  benchmark: Benchmark,
  { rounds, log, pauseMs }: BenchmarkOptions,
): Promise<Result[]> {
  const machine = describeMachine();
  const running: BenchProcess[] = [];
  const absent: Absent[] = [];
  try {
    for (const contestant of [benchmark.ours, ...benchmark.peers]) {
      log.info(`starting ${contestant.name}`);
      const started = await BenchProcess.start(contestant);
      if (started instanceof BenchProcess) {
        running.push(started);
      } else {
        if (contestant === benchmark.ours) throw new Error(`${started.name} is absent: ${started.reason}`);
        log.warn(`${started.name} is absent: ${started.reason}`);
        absent.push(started);
      }
    }
    const results: Result[] = [];
    for (const { request, warmUp, ...benchCase } of benchmark.cases) {
      const times = await interleave(running, {
        rounds,
        request,
        warmUp,
        ...(pauseMs !== undefined && { pauseMs }),
        onRound: (round) => log.info(`${benchCase.bench}: round ${round + 1} of ${rounds}`),
      });
      const entries = await Promise.all(running.map((one, index) => entryOf(one, times[index])));
      results.push(...resultsOf(benchCase, rounds, entries, absent, machine));
    }
    return results;
  } finally {
    await Promise.all(running.map((one) => one.close()));
  }
}

async function entryOf(contestant: BenchProcess, times: readonly number[]): Promise<Entry> {
  const bytes = await contestant.peakMemory();
  return {
    name: contestant.name,
    median: median(times),
    all: times,
    peak_rss_mb: bytes === undefined ? null : bytes / 1e6,
    ...contestant.info,
  };
}
