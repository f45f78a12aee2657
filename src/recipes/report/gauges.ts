/** What curves say, in words. */

import type { RunRecord } from './read-run.js';

export interface Verdict {
  readonly text: string;
  readonly mood?: 'good' | 'bad' | undefined;
}

/** The spread of a collapsed network's outputs is near 0, of an even one near 1. */
const COLLAPSED = 0.1;
const THIN = 0.3;
/** Share of the steps at either end over which is averaged. */
const EDGE = 0.05;

export function verdicts(run: RunRecord): Verdict[] {
  const { metrics, remarks } = run;
  return [
    ...remarks.map((text): Verdict => ({ text, mood: 'bad' })),
    ...lossVerdict(metrics),
    ...spreadVerdict(metrics),
    ...waitVerdict(metrics),
  ];
}

function lossVerdict(metrics: RunRecord['metrics']): Verdict[] {
  const losses = metrics.map(({ loss }) => loss).filter((loss) => loss !== undefined);
  if (losses.length < 2) return [{ text: 'too few steps to say anything about the loss', mood: 'bad' }];
  const edge = Math.max(1, Math.floor(EDGE * losses.length));
  const [first, last] = [mean(losses.slice(0, edge)), mean(losses.slice(-edge))];
  const fell = last < first;
  return [
    {
      text: `loss ${fell ? 'fell' : 'did not fall'}: ${first.toPrecision(3)} to ${last.toPrecision(3)} over ${losses.length} steps`,
      mood: fell ? 'good' : 'bad',
    },
  ];
}

function spreadVerdict(metrics: RunRecord['metrics']): Verdict[] {
  const measured = metrics.filter(({ spread }) => spread !== undefined);
  const last = measured.at(-1);
  if (last === undefined) return [];
  const fallen = measured.find(({ spread }) => spread < COLLAPSED);
  if (last.spread < COLLAPSED && fallen !== undefined) {
    return [
      {
        text: `the outputs collapsed: their spread fell below ${COLLAPSED} at step ${fallen.step} (1 = even, 0 = all the same)`,
        mood: 'bad',
      },
    ];
  }
  const thin = last.spread < THIN;
  return [
    {
      text: `spread of the outputs ${last.spread.toFixed(2)} at the end (1 = even, 0 = collapsed)${thin ? ': low' : ''}`,
      mood: thin ? 'bad' : 'good',
    },
  ];
}

function waitVerdict(metrics: RunRecord['metrics']): Verdict[] {
  const sum = (name: string) => metrics.reduce((total, row) => total + (row[name] ?? 0), 0);
  const [steps, waits] = [sum('step_s'), sum('wait_s')];
  if (steps === 0) return [];
  const share = (100 * waits) / (steps + waits);
  return [
    {
      text: `${share.toFixed(0)} % of the time was spent waiting for images`,
      mood: share > 20 ? 'bad' : undefined,
    },
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
