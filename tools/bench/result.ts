/**
 * The form of a result: one JSON line per case and peer, and a short table for people. All raw values are kept, so that
 * a ratio can be questioned later without a second run.
 */

import { availableParallelism, cpus, loadavg } from 'node:os';
import { formatBytes } from '../../src/core/clock.js';
import { formatTable } from '../../src/report/table.js';
import type { Absent, ProcessInfo } from './bench-process.js';

/** What is measured. */
export interface BenchCase {
  /** E.g. `step` or `pipeline/500x375`. */
  bench: string;
  /** In words, for the table. */
  title: string;
  /** Of all times, e.g. `ms per step`. */
  unit: string;
  /** Sizes that the times depend on. */
  settings: Readonly<Record<string, string | number>>;
}

/** One contestant's figures. */
export interface Entry extends ProcessInfo {
  name: string;
  median: number;
  all: readonly number[];
  /** VmHWM of the process in 10^6 bytes, all cases until then included; null where the system does not tell. */
  peak_rss_mb: number | null;
}

export interface Machine {
  cpu: string;
  cores: number;
  platform: string;
  /** Load average of the minute before the start: far above 0, the figures mean little. */
  load: number;
}

export interface Result extends BenchCase, Machine {
  rounds: number;
  ours: Entry;
  /** Null when no peer was asked for. */
  peer: Entry | { name: string; absent: string } | null;
  /** Peer's median over ours: above 1 we are faster. Null without a peer's figure. */
  ratio: number | null;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median: no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch}`,
    load: loadavg()[0],
  };
}

/** @param entries of those who took part, ours first */
export function resultsOf(
  benchCase: BenchCase,
  rounds: number,
  entries: readonly Entry[],
  absent: readonly Pick<Absent, 'name' | 'reason'>[],
  machine: Machine,
): Result[] {
  const [ours, ...peers] = entries;
  const common = { ...benchCase, rounds, ours };
  const results: Result[] = [
    ...peers.map((peer) => ({ ...common, peer, ratio: peer.median / ours.median, ...machine })),
    ...absent.map(({ name, reason }) => ({
      ...common,
      peer: { name, absent: reason },
      ratio: null,
      ...machine,
    })),
  ];
  return results.length > 0 ? results : [{ ...common, peer: null, ratio: null, ...machine }];
}

/** @param results of one case, which all hold the same figures of ours */
export function formatResults(results: readonly Result[]): string {
  const [{ title, unit, ours }] = results;
  const rows = [rowOf(ours, '')];
  for (const { peer, ratio } of results) {
    if (peer === null) continue;
    rows.push('absent' in peer ? [peer.name, 'absent'] : rowOf(peer, `${ratio?.toFixed(2)} x`));
  }
  return `${title}\n${formatTable(['', unit, 'range', 'peak memory', 'ours is faster'], rows)}`;
}

function rowOf({ name, median: middle, all, peak_rss_mb }: Entry, ratio: string): string[] {
  const range = `${formatMs(Math.min(...all))} .. ${formatMs(Math.max(...all))}`;
  return [name, formatMs(middle), range, peak_rss_mb === null ? '?' : formatBytes(peak_rss_mb * 1e6), ratio];
}

/** Three digits or all before the point. */
function formatMs(ms: number): string {
  return ms.toFixed(Math.max(0, 2 - Math.floor(Math.log10(ms))));
}
