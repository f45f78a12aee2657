import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { formatTick, makeAxis, niceStep } from '../../src/report/axis.js';

const labels = (values: number[], scale: 'linear' | 'log', most: number): string[] =>
  makeAxis(values, scale, most).ticks.map(({ label }) => label);

describe('makeAxis', () => {
  it.each([
    [[0, 1], 6, '0 0.2 0.4 0.6 0.8 1.0'],
    [[0, 10], 6, '0 2 4 6 8 10'],
    [[-3, 3], 4, '-4 -2 0 2 4'],
    [[0, 62_400], 5, '0 20k 40k 60k 80k'],
    [[0.601, 0.649], 6, '0.60 0.61 0.62 0.63 0.64 0.65'],
    [[5, 5], 3, '0 5 10'],
    [[0, 0], 3, '-1 0 1'],
    [[], 3, '0 0.5 1.0'],
  ])('ticks of %j, at most %i, are %s', (values, most, expected) => {
    expect(labels(values, 'linear', most).join(' ')).toBe(expected);
  });

  it.each([
    [[0.01, 100], 5, '0.01 0.1 1 10 100'],
    [[1, 50], 9, '1 2 5 10 20 50 100'],
    [[1e-6, 1], 4, '1e-6 0.0001 0.01 1'],
    [[3, 3], 4, '1 2 5 10'],
    [[], 4, '1 2 5 10'],
    [[-1, 0, 20, 30], 4, '10 20 50 100'],
  ])('logarithmic ticks of %j, at most about %i, are %s', (values, most, expected) => {
    expect(labels(values, 'log', most).join(' ')).toBe(expected);
  });

  it('holds every value, with the ends on ticks', () => {
    const stream = new RandomStream(3, 'axis');
    for (let trial = 0; trial < 200; trial++) {
      const size = 10 ** stream.between(-6, 9);
      const values = Array.from({ length: 3 }, () => stream.between(-size, size));
      const { ticks, position } = makeAxis(values, 'linear', 6);
      const positions = values.map(position);
      expect(Math.min(...positions)).toBeGreaterThanOrEqual(-1e-9);
      expect(Math.max(...positions)).toBeLessThanOrEqual(1 + 1e-9);
      expect(position(ticks[0].value)).toBeCloseTo(0, 9);
      expect(position(ticks[ticks.length - 1].value)).toBeCloseTo(1, 9);
      expect(ticks.length).toBeLessThanOrEqual(8);
      expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
    }
  });

  it('has no place for zero on a logarithm', () => {
    expect(makeAxis([1, 10], 'log', 3).position(0)).toBeNaN();
  });
});

describe('niceStep', () => {
  it.each([
    [0.9, 1],
    [1, 1],
    [1.1, 2],
    [3, 5],
    [7, 10],
    [0.03, 0.05],
    [0.2, 0.2],
    [60_000, 100_000],
  ])('%d becomes %d', (step, nice) => {
    expect(niceStep(step)).toBe(nice);
  });
});

describe('formatTick', () => {
  it.each([
    [1e-17, 0.1, '0'],
    [0.30000000000000004, 0.1, '0.3'],
    [2_500_000, 500_000, '2500k'],
    [3_000_000, 1_000_000, '3M'],
    [100_500, 500, '100.5k'],
    [0.00003, 0.00001, '3e-5'],
  ])('%d in steps of %d is %s', (value, step, expected) => {
    expect(formatTick(value, step)).toBe(expected);
  });
});
