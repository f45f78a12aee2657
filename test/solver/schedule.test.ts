/** Schedules: golden tables of the reference's runs (1,281,167 images, 32 processes of 256), edges and errors. */

import { describe, expect, it } from 'vitest';
import {
  emaDecay,
  type LearningRateOptions,
  learningRate,
  peakLearningRate,
  samplesPerProcess,
  stepsPerEpoch,
} from '../../src/solver/schedule.js';

const IMAGENET = 1_281_167;
const RUN_200: LearningRateOptions = {
  baseRate: 0.45,
  globalBatch: 8192,
  stepsPerEpoch: 157,
  maxEpochs: 200,
  warmupEpochs: 10,
};
const RUN_1000: LearningRateOptions = { ...RUN_200, baseRate: 0.2, maxEpochs: 1000 };

describe('golden rates and decays', () => {
  it.each([
    [1, 0.0091719745, 0.97],
    [157, 1.44, 0.97000183],
    [1570, 14.4, 0.97018444],
    [7850, 12.881812, 0.97439234],
    [15700, 7.7945713, 0.9849985],
    [31399, 3.99e-8, 1],
  ])('200 epochs, step %i', (i, rate, decay) => {
    expect(learningRate(RUN_200, i) / rate).toBeCloseTo(1, i === 31399 ? 2 : 7);
    expect(emaDecay(0.97, i - 1, 31400)).toBeCloseTo(decay, 7);
  });

  it.each([
    [1, 0.0040764331, 0.996],
    [1570, 6.4, 0.99600099],
    [78500, 3.2507711, 0.99799996],
  ])('1000 epochs, step %i', (i, rate, decay) => {
    expect(learningRate(RUN_1000, i) / rate).toBeCloseTo(1, 7);
    expect(emaDecay(0.996, i - 1, 157_000)).toBeCloseTo(decay, 7);
  });
});

describe('learningRate', () => {
  it('peaks at the base rate times batch / 256', () => {
    expect(peakLearningRate(RUN_200)).toBeCloseTo(14.4, 12);
    expect(peakLearningRate({ ...RUN_200, globalBatch: 256 })).toBe(0.45);
  });

  it('rises to the end of the warm-up, falls afterwards, and ends at 0', () => {
    const short = { ...RUN_200, stepsPerEpoch: 3, maxEpochs: 5, warmupEpochs: 2 };
    const rates = Array.from({ length: 15 }, (_, i) => learningRate(short, i + 1));
    expect(rates.indexOf(Math.max(...rates))).toBe(5);
    expect(rates.slice(0, 6)).toEqual([...rates.slice(0, 6)].sort((a, b) => a - b));
    expect(rates.slice(5)).toEqual([...rates.slice(5)].sort((a, b) => b - a));
    expect(rates[14]).toBe(0);
    expect(learningRate(short, 16)).toBe(0);
  });

  it('is the plain cosine without a warm-up', () => {
    const plain = { ...RUN_200, stepsPerEpoch: 10, maxEpochs: 4, warmupEpochs: 0 };
    expect(learningRate(plain, 20)).toBeCloseTo(7.2, 12);
    expect(learningRate(plain, 1)).toBeCloseTo((14.4 * (1 + Math.cos(Math.PI / 40))) / 2, 12);
    expect(learningRate(plain, 40)).toBe(0);
  });

  it('may be warm-up alone', () => {
    const all = { ...RUN_200, stepsPerEpoch: 10, maxEpochs: 2, warmupEpochs: 2 };
    expect(learningRate(all, 20)).toBeCloseTo(14.4, 12);
  });
});

describe('stepsPerEpoch', () => {
  it.each([
    [1, 5005, 143],
    [4, 1252, 36],
    [8, 626, 146],
    [16, 313, 201],
    [32, 157, 101],
  ])('of ImageNet on %i processes, and the size of the last batch', (processes, steps, last) => {
    expect(stepsPerEpoch(IMAGENET, 256, processes, false)).toBe(steps);
    expect(stepsPerEpoch(IMAGENET, 256, processes, true)).toBe(steps - 1);
    expect(samplesPerProcess(IMAGENET, processes) - (steps - 1) * 256).toBe(last);
  });

  it('is the same with and without short batches when there are none', () => {
    expect(stepsPerEpoch(512, 256, 2, true)).toBe(1);
    expect(stepsPerEpoch(512, 256, 2, false)).toBe(1);
    expect(stepsPerEpoch(IMAGENET, 128, 32, false)).toBe(313);
  });

  it('refuses an epoch without a step', () => {
    expect(() => stepsPerEpoch(100, 64, 2, true)).toThrow(
      'an epoch of 100 images has no full batch of 128\n  use a smaller batch, or keep short batches',
    );
    expect(() => stepsPerEpoch(0, 64, 1, false)).toThrow('an epoch of 0 images has no batch of 64');
  });
});
