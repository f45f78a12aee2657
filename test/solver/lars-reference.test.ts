/** The literal LARS of the test helpers against golden values: p = (3, 4), gradients (0.6, 0.8) and then (1, 0). */

import { describe, expect, it } from 'vitest';
import { type LarsReferenceOptions, type LarsReferenceState, larsStep } from '../helpers/lars.js';

const PRETRAIN: LarsReferenceOptions = {
  momentum: 0.9,
  nesterov: false,
  weightDecay: 1e-6,
  trust: 0.001,
  adapted: true,
  squaredRate: false,
};

function trajectory(rate: number, options: LarsReferenceOptions): number[] {
  let state: LarsReferenceState = { parameter: [3, 4], buffer: undefined };
  return [
    [0.6, 0.8],
    [1, 0],
  ].flatMap((gradient) => {
    state = larsStep(state, gradient, rate, options);
    return [...state.parameter];
  });
}

describe('the literal LARS', () => {
  const probe = { ...PRETRAIN, weightDecay: 0, nesterov: true };
  const excluded = { ...PRETRAIN, adapted: false, squaredRate: true };
  it.each([
    ['adapted', 14.4, PRETRAIN, [2.956800000432, 3.942400000576, 2.846956941402, 3.89055972133]],
    ['excluded, squared rate', 14.4, excluded, [-121.416, -161.888, -440.7504, -311.1872]],
    ['linear probe', 3.2, probe, [2.98176, 3.97568, 2.94376883256, 3.965312000347]],
    // By hand: 3 - 0.1 * 0.6, 4 - 0.1 * 0.8; then buffers 0.54 + 1 and 0.72.
    ['excluded', 0.1, { ...excluded, squaredRate: false }, [2.94, 3.92, 2.786, 3.848]],
  ])('%s', (_, rate, options, expected) => {
    trajectory(rate, options).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 9);
    });
  });

  it('does not scale when a norm is 0', () => {
    const still = larsStep({ parameter: [0, 0], buffer: undefined }, [1, 2], 0.5, PRETRAIN);
    expect(still.parameter).toEqual([-0.5, -1]);
    const decayed = larsStep({ parameter: [1, 2], buffer: undefined }, [0, 0], 1, {
      ...PRETRAIN,
      weightDecay: 0.25,
    });
    expect(decayed.parameter).toEqual([0.75, 1.5]);
  });
});
