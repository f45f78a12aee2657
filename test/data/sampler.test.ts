import { describe, expect, it } from 'vitest';
import { epochBatches, epochOrder } from '../../src/data/sampler.js';
import { stepsPerEpoch } from '../../src/solver/schedule.js';

describe('epochOrder', () => {
  it('is a permutation that depends on seed and epoch only', () => {
    const order = epochOrder(1, 0, 100);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(epochOrder(1, 0, 100)).toEqual(order);
    expect(epochOrder(1, 1, 100)).not.toEqual(order);
    expect(epochOrder(2, 0, 100)).not.toEqual(order);
    expect([...epochOrder(1, 0, 0)]).toEqual([]);
  });
});

describe('epochBatches', () => {
  const order = Uint32Array.of(4, 2, 0, 1, 3);
  const list = (options: Parameters<typeof epochBatches>[1]) =>
    [...epochBatches(order, options)].map(({ step, indices }) => [step, ...indices]);

  it('makes a short last batch, or none', () => {
    expect(list({ batchSize: 2 })).toEqual([
      [0, 4, 2],
      [1, 0, 1],
      [2, 3],
    ]);
    expect(list({ batchSize: 2, dropLast: true })).toHaveLength(2);
    expect(stepsPerEpoch(5, 2, 1, false)).toBe(3);
    expect(stepsPerEpoch(5, 2, 1, true)).toBe(2);
  });

  it('resumes with the tail', () => {
    expect(list({ batchSize: 2, firstStep: 1 })).toEqual(list({ batchSize: 2 }).slice(1));
    expect(list({ batchSize: 2, firstStep: 3 })).toEqual([]);
  });
});
