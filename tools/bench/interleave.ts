/**
 * The order in which contestants take turns. A machine gets slower and faster over minutes, so all of them run within
 * every round, and the order is reversed from round to round: A B C, C B A, A B C. None is always first after a pause.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchProcess } from './bench-process.js';

export interface InterleaveOptions {
  rounds: number;
  request: string;
  /** Asked of each before the first round; its times are dropped. */
  warmUp: string;
  /** Between two turns, for threads that spin for a while after their work. Default 300. */
  pauseMs?: number;
  onRound?: (round: number) => void;
}

/** @returns all times of each contestant in ms, in the order of `contestants` */
export async function interleave(
  contestants: readonly Pick<BenchProcess, 'request'>[],
  { rounds, request, warmUp, pauseMs = 300, onRound }: InterleaveOptions,
): Promise<number[][]> {
  const times = contestants.map((): number[] => []);
  for (const contestant of contestants) {
    await contestant.request(warmUp);
    await sleep(pauseMs);
  }
  for (let round = 0; round < rounds; round++) {
    onRound?.(round);
    const order = contestants.map((contestant, index) => ({ contestant, index }));
    if (round % 2 === 1) order.reverse();
    for (const { contestant, index } of order) {
      times[index].push(...(await contestant.request(request)));
      await sleep(pauseMs);
    }
  }
  return times;
}
