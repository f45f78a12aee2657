import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { effectiveRank, judgeCollapse, outputSpread } from '../../src/evaluation/collapse.js';
import { normal } from '../helpers/arrays.js';

/** Normal values in the first `used` of C channels, zeros in the others. */
function cloud(rows: number, C: number, used = C): Float32Array {
  const stream = new RandomStream(17, 'collapse');
  return Float32Array.from({ length: rows * C }, (_, i) => (i % C < used ? normal(stream) : 0));
}

describe('outputSpread', () => {
  it('is what one computes by hand', () => {
    // Normalised: (1, 0), (0, 1). Both channels have mean 1/2 and standard deviation 1/2; times the root of 2.
    expect(outputSpread({ data: Float32Array.of(3, 0, 0, 0.1), channels: 2 })).toBeCloseTo(Math.SQRT1_2, 12);
    // (1, 0), (-1, 0): standard deviations 1 and 0.
    expect(outputSpread({ data: Float32Array.of(1, 0, -5, 0), channels: 2 })).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('is about 1 for a cloud and 0 for equal directions', () => {
    expect(outputSpread({ data: cloud(4000, 16), channels: 16 })).toBeCloseTo(1, 2);
    const data = Float32Array.from({ length: 300 }, (_, i) => (1 + Math.floor(i / 3)) * ((i % 3) + 1));
    expect(outputSpread({ data, channels: 3 })).toBeCloseTo(0, 6);
    expect(outputSpread({ data: new Float32Array(6), channels: 3 })).toBe(0);
  });

  it('counts rows by their weights: 0 leaves a row out, 2 counts it twice', () => {
    const data = cloud(5, 3);
    const twice = Float32Array.from([...data.subarray(0, 12), ...data.subarray(9, 12)]);
    const weighted = { data, channels: 3, weights: [1, 1, 1, 2, 0] };
    expect(outputSpread(weighted)).toBeCloseTo(outputSpread({ data: twice, channels: 3 }), 12);
    expect(effectiveRank(weighted)).toBeCloseTo(effectiveRank({ data: twice, channels: 3 }), 12);
  });

  it('refuses sizes that disagree, and no rows', () => {
    const data = new Float32Array(6);
    expect(() => outputSpread({ data, channels: 4 })).toThrow('outputs [R, C] have 6 values for C = 4');
    expect(() => outputSpread({ data, channels: 3, weights: [1] })).toThrow('and 1 weights');
    expect(() => outputSpread({ data, channels: 3, weights: [0, 0] })).toThrow('no row has any weight');
    expect(() => effectiveRank({ data: new Float32Array(0), channels: 3 })).toThrow(RangeError);
  });
});

describe('effectiveRank', () => {
  it('is the number of directions of equal variance', () => {
    // Plus and minus each unit vector: the covariance is the identity.
    const data = Float32Array.of(1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1);
    expect(effectiveRank({ data, channels: 3 })).toBeCloseTo(3, 12);
    expect(effectiveRank({ data: data.subarray(0, 12), channels: 3 })).toBeCloseTo(2, 12);
    expect(effectiveRank({ data: data.subarray(0, 6), channels: 3 })).toBeCloseTo(1, 12);
  });

  it('is (sum)^2 / (sum of squares) of unequal variances', () => {
    // Channel variances 4/6 and 2/6: 1 / (16/36 + 4/36) = 1.8.
    const data = Float32Array.of(1, 0, -1, 0, 1, 0, -1, 0, 0, 1, 0, -1);
    expect(effectiveRank({ data, channels: 2 })).toBeCloseTo(1.8, 12);
  });

  it('sees dimensional collapse, with more rows than channels and with fewer', () => {
    expect(effectiveRank({ data: cloud(4000, 12, 3), channels: 12 })).toBeCloseTo(3, 1);
    expect(effectiveRank({ data: cloud(40, 400, 2), channels: 400 })).toBeLessThanOrEqual(2);
    expect(effectiveRank({ data: cloud(40, 400), channels: 400 })).toBeGreaterThan(30);
    expect(effectiveRank({ data: cloud(40, 400), channels: 400 })).toBeLessThanOrEqual(39);
  });

  it('does not depend on which of the two products is taken', () => {
    // Channels of zeros change the shape, and so the choice, but not the eigenvalues.
    const narrow = cloud(10, 4);
    const wide = Float32Array.from({ length: 10 * 20 }, (_, i) =>
      i % 20 < 4 ? narrow[4 * Math.floor(i / 20) + (i % 20)] : 0,
    );
    expect(effectiveRank({ data: wide, channels: 20 })).toBeCloseTo(
      effectiveRank({ data: narrow, channels: 4 }),
      10,
    );
  });

  it('is 0 when nothing varies', () => {
    expect(effectiveRank({ data: new Float32Array(30).fill(1), channels: 3 })).toBe(0);
  });
});

describe('judgeCollapse', () => {
  const options = { threshold: 0.1, patience: 3 };

  it('warns only when the spread stayed low', () => {
    expect(judgeCollapse([], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.01], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.5, 0.01], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.1, 0.01], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.01, 0.01, 0.5], options)).toBeUndefined();
    expect(judgeCollapse([Number.NaN, 0, 0], options)).toBeUndefined();
  });

  it('says what it saw', () => {
    expect(judgeCollapse([0.9, 0.05, 0.02, 0.0123], options)).toMatch(
      /^the outputs are collapsing: their spread is 0\.012 and was under 0\.1 in the last 3 measurements/,
    );
  });
});
