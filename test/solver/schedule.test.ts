/** Schedules: golden tables of the reference's runs (1,281,167 images, 32 processes of 256), edges and errors. */

import { describe, expect, it } from 'vitest';
import {
  type CosineOptions,
  cosineRate,
  emaDecay,
  type MultiStepOptions,
  multiStepRate,
  samplesPerProcess,
  scaledRate,
  stepsPerEpoch,
} from '../../src/solver/schedule.js';

const IMAGENET = 1_281_167;
const RUN_200: CosineOptions = {
  peak: scaledRate(0.45, 8192, 256),
  stepsPerEpoch: 157,
  maxEpochs: 200,
  warmupEpochs: 10,
};
const RUN_1000: CosineOptions = { ...RUN_200, peak: scaledRate(0.2, 8192, 256), maxEpochs: 1000 };

describe('golden rates and decays', () => {
  it.each([
    [1, 0.0091719745, 0.97],
    [157, 1.44, 0.97000183],
    [1570, 14.4, 0.97018444],
    [7850, 12.881812, 0.97439234],
    [15700, 7.7945713, 0.9849985],
    [31399, 3.99e-8, 1],
  ])('200 epochs, step %i', (i, rate, decay) => {
    expect(cosineRate(RUN_200, i) / rate).toBeCloseTo(1, i === 31399 ? 2 : 7);
    expect(emaDecay(0.97, i - 1, 31400)).toBeCloseTo(decay, 7);
  });

  it.each([
    [1, 0.0040764331, 0.996],
    [1570, 6.4, 0.99600099],
    [78500, 3.2507711, 0.99799996],
  ])('1000 epochs, step %i', (i, rate, decay) => {
    expect(cosineRate(RUN_1000, i) / rate).toBeCloseTo(1, 7);
    expect(emaDecay(0.996, i - 1, 157_000)).toBeCloseTo(decay, 7);
  });
});

describe('cosineRate', () => {
  it('peaks at the base rate times batch / 256', () => {
    expect(RUN_200.peak).toBeCloseTo(14.4, 12);
    expect(scaledRate(0.45, 256, 256)).toBe(0.45);
  });

  it('rises to the end of the warm-up, falls afterwards, and ends at 0', () => {
    const short = { ...RUN_200, stepsPerEpoch: 3, maxEpochs: 5, warmupEpochs: 2 };
    const rates = Array.from({ length: 15 }, (_, i) => cosineRate(short, i + 1));
    expect(rates.indexOf(Math.max(...rates))).toBe(5);
    expect(rates.slice(0, 6)).toEqual([...rates.slice(0, 6)].sort((a, b) => a - b));
    expect(rates.slice(5)).toEqual([...rates.slice(5)].sort((a, b) => b - a));
    expect(rates[14]).toBe(0);
    expect(cosineRate(short, 16)).toBe(0);
  });

  it('is the plain cosine without a warm-up', () => {
    const plain = { ...RUN_200, stepsPerEpoch: 10, maxEpochs: 4, warmupEpochs: 0 };
    expect(cosineRate(plain, 20)).toBeCloseTo(7.2, 12);
    expect(cosineRate(plain, 1)).toBeCloseTo((14.4 * (1 + Math.cos(Math.PI / 40))) / 2, 12);
    expect(cosineRate(plain, 40)).toBe(0);
  });

  it('may be warm-up alone', () => {
    const all = { ...RUN_200, stepsPerEpoch: 10, maxEpochs: 2, warmupEpochs: 2 };
    expect(cosineRate(all, 20)).toBeCloseTo(14.4, 12);
  });
});

describe('multiStepRate', () => {
  /** Detectron2's 1x: 90,000 steps. */
  const ONE_X: MultiStepOptions = {
    baseRate: 0.02,
    milestones: [60_000, 80_000],
    gamma: 0.1,
    warmupSteps: 1000,
    warmupFactor: 0.001,
  };

  it.each([
    [0, 0.00002],
    [1, 0.00002 * 0.999 + 0.00002],
    [500, 0.01001],
    [999, 0.01998002],
    [1000, 0.02],
    [59_999, 0.02],
    [60_000, 0.002],
    [79_999, 0.002],
    [80_000, 0.0002],
    [89_999, 0.0002],
  ])('step %i', (step, rate) => {
    expect(multiStepRate(ONE_X, step)).toBeCloseTo(rate, 12);
  });

  it('needs no warm-up and no milestones', () => {
    expect(multiStepRate({ ...ONE_X, milestones: [], warmupSteps: 0 }, 0)).toBe(0.02);
    expect(multiStepRate({ ...ONE_X, milestones: [2, 4], warmupSteps: 0 }, 3)).toBeCloseTo(0.002, 15);
  });

  it('may reach a milestone while it is still rising', () => {
    const early = { ...ONE_X, milestones: [10], warmupSteps: 20, warmupFactor: 0 };
    expect(multiStepRate(early, 9)).toBeCloseTo(0.02 * 0.45, 12);
    expect(multiStepRate(early, 10)).toBeCloseTo(0.002 * 0.5, 12);
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
