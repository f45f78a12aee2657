/**
 * One axis of a chart: from values to pixels, and ticks at numbers that people would choose.
 *
 * Linear ticks are multiples of 1, 2 or 5 times a power of ten, the steps of graph paper. A logarithmic axis has ticks
 * at powers of ten, and at 2 and 5 between them when it spans few decades.
 */

export type Scale = 'linear' | 'log';

export interface Tick {
  value: number;
  label: string;
}

export interface Axis {
  ticks: Tick[];
  /** 0 at the low end of the axis, 1 at its high end; NaN for what the scale cannot show (0 on a logarithm). */
  position(value: number): number;
}

/**
 * An axis that covers all values. What is not finite, or not positive on a logarithmic axis, is left aside; without any
 * value the axis runs from 0 to 1 (logarithmic: from 1 to 10).
 *
 * @param maxTicks most ticks that leave room for their labels
 */
export function makeAxis(values: Iterable<number>, scale: Scale, maxTicks: number): Axis {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value) || (scale === 'log' && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return scale === 'log' ? logAxis(low, high, maxTicks) : linearAxis(low, high, maxTicks);
}

function linearAxis(dataLow: number, dataHigh: number, maxTicks: number): Axis {
  let [low, high] = dataLow <= dataHigh ? [dataLow, dataHigh] : [0, 1];
  if (low === high) {
    const margin = low === 0 ? 1 : Math.abs(low) / 2;
    [low, high] = [low - margin, high + margin];
  }
  const step = niceStep((high - low) / Math.max(maxTicks - 1, 1));
  // The axis ends on ticks, so that every point lies between two of them.
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  const ticks: Tick[] = [];
  for (let i = first; i <= last; i++) ticks.push({ value: i * step, label: formatTick(i * step, step) });
  const start = first * step;
  const length = (last - first) * step;
  return { ticks, position: (value) => (value - start) / length };
}

function logAxis(dataLow: number, dataHigh: number, maxTicks: number): Axis {
  const [low, high] = dataLow <= dataHigh ? [dataLow, dataHigh] : [1, 10];
  const first = Math.floor(Math.log10(low));
  const last = Math.max(Math.ceil(Math.log10(high)), first + 1);
  const decades = last - first;
  const digits = decades * 3 <= maxTicks ? [1, 2, 5] : [1];
  const every = Math.ceil(decades / Math.max(maxTicks - 1, 1));
  const ticks: Tick[] = [];
  for (let decade = first; decade <= last; decade += every) {
    for (const digit of decade === last ? [1] : digits) {
      const value = Number(`${digit}e${decade}`);
      ticks.push({ value, label: formatTick(value, value) });
    }
  }
  return { ticks, position: (value) => (value > 0 ? (Math.log10(value) - first) / decades : Number.NaN) };
}

/** The smallest of 1, 2, 5 times a power of ten that is not less than `step`. */
export function niceStep(step: number): number {
  const exponent = Math.floor(Math.log10(step));
  // By way of text: 10 ** -1 times 2 would not be the number nearest to 0.2 for every exponent.
  for (const digit of [1, 2, 5]) {
    const nice = Number(`${digit}e${exponent}`);
    if (nice >= step * (1 - 1e-9)) return nice;
  }
  return Number(`1e${exponent + 1}`);
}

/** As many decimals as the distance of the ticks asks for; thousands as k, millions as M, the very small as 1e-5. */
export function formatTick(value: number, step: number): string {
  if (Math.abs(value) < step * 1e-6) return '0';
  if (step >= 1e9 || step < 1e-4) return Number(value.toPrecision(6)).toExponential();
  if (step >= 1e6) return `${decimals(value / 1e6, step / 1e6)}M`;
  if (step >= 1000 || (Math.abs(value) >= 10_000 && step >= 100))
    return `${decimals(value / 1000, step / 1000)}k`;
  return decimals(value, step);
}

function decimals(value: number, step: number): string {
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}
