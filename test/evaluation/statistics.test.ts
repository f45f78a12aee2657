import { describe, expect, it } from 'vitest';
import { pairedDifference, spreadOf, studentQuantile } from '../../src/evaluation/statistics.js';

describe('studentQuantile', () => {
  // Two-sided 95 %, from any table of the distribution.
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [9, 2.262],
    [10, 2.228],
    [30, 2.042],
    [120, 1.98],
  ])('%i degrees of freedom: %f', (freedom, expected) => {
    expect(studentQuantile(0.975, freedom)).toBeCloseTo(expected, 3);
  });

  it('knows other probabilities', () => {
    expect(studentQuantile(0.95, 4)).toBeCloseTo(2.132, 3);
    expect(studentQuantile(0.995, 7)).toBeCloseTo(3.499, 3);
  });
});

describe('spreadOf', () => {
  it('divides by n - 1', () => {
    expect(spreadOf([1, 2, 3, 4])).toEqual({ n: 4, mean: 2.5, deviation: Math.sqrt(5 / 3) });
  });

  it('has no deviation of a single figure', () => {
    expect(spreadOf([7])).toEqual({ n: 1, mean: 7, deviation: Number.NaN });
  });
});

describe('pairedDifference', () => {
  it('removes what pairs have in common', () => {
    const result = pairedDifference([
      [11, 10],
      [22, 20],
      [33, 30],
    ]);
    expect(result).toMatchObject({ n: 3, mean: 2, deviation: 1, wins: 3 });
    expect(result.margin).toBeCloseTo(4.303 / Math.sqrt(3), 3);
    expect(result.distinguishable).toBe(false);
  });

  it('tells two rows apart when the interval leaves out 0', () => {
    const result = pairedDifference([
      [10, 5],
      [11, 5.5],
      [12, 6.8],
    ]);
    expect(result.distinguishable).toBe(true);
  });

  it('says nothing from one pair, and nothing of equals', () => {
    expect(pairedDifference([[3, 1]])).toMatchObject({ n: 1, mean: 2, wins: 1, distinguishable: false });
    expect(
      pairedDifference([
        [1, 1],
        [2, 2],
      ]),
    ).toMatchObject({ mean: 0, wins: 0, margin: 0, distinguishable: false });
  });
});
