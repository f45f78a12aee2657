import { describe, expect, it } from 'vitest';
import { type Every, isDue } from '../../src/train/periodic.js';

const LENGTH = { stepsPerEpoch: 4, totalSteps: 12 };

/** Steps after which it is due. */
function dueSteps(every: Every): number[] {
  return Array.from({ length: 12 }, (_, i) => i + 1).filter((step) => isDue(every, step, LENGTH));
}

describe('isDue', () => {
  it.each<[string, Every, number[]]>([
    ['never', {}, []],
    ['zeros and null are never', { steps: 0, epochs: null, minutes: 0 }, []],
    ['steps', { steps: 5 }, [5, 10]],
    ['epochs', { epochs: 2 }, [8]],
    ['the end', { last: true }, [12]],
    ['epochs and the end', { epochs: 2, last: true }, [8, 12]],
    ['whichever comes first', { steps: 6, epochs: 1 }, [4, 6, 8, 12]],
  ])('%s', (_name, every, steps) => {
    expect(dueSteps(every)).toEqual(steps);
  });

  it('steps need no length of the run; the first step, 0, is due', () => {
    expect([0, 1, 2, 3, 4].filter((step) => isDue({ steps: 2, last: true }, step))).toEqual([0, 2, 4]);
    expect(isDue({ epochs: 1, last: true }, 0)).toBe(false);
  });

  it('minutes since the last time', () => {
    expect(isDue({ minutes: 10 }, 1, LENGTH, 9.99)).toBe(false);
    expect(isDue({ minutes: 10 }, 1, LENGTH, 10)).toBe(true);
    expect(isDue({ minutes: 0 }, 1, LENGTH, 1e9)).toBe(false);
  });
});
