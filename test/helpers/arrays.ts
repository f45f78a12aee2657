/** Comparison of numeric arrays that says where the worst element is, and seeded test data. */

import { expect } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';

/**
 * Expects |actual - expected| <= absolute + relative * |expected| for every element.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 1e-6, relative = 1e-5 }: { absolute?: number; relative?: number } = {},
): void {
  expect(actual.length).toBe(expected.length);
  let worst = { index: -1, excess: 0 };
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    const excess = error - absolute - relative * Math.abs(expected[i]);
    if (!(excess <= worst.excess)) worst = { index: i, excess };
  }
  if (worst.index >= 0) {
    const i = worst.index;
    expect.fail(`element ${i}: got ${actual[i]}, expected ${expected[i]} (over by ${worst.excess})`);
  }
}

/** Uniform in [-1, 1), seeded. */
export function randomArray(length: number, name: string): Float32Array {
  const stream = new RandomStream(0, `test/${name}`);
  return Float32Array.from({ length }, () => stream.between(-1, 1));
}

/** One standard normal draw. */
export function normal(stream: RandomStream): number {
  const one = new Float32Array(1);
  stream.fillNormal(one, 1);
  return one[0];
}
