import { describe, expect, it } from 'vitest';
import { principalComponents } from '../../src/evaluation/pca.js';
import { expectClose, randomArray } from '../helpers/arrays.js';

describe('principalComponents', () => {
  it('finds the long axis of an ellipse, whatever its centre', () => {
    // Along (3, 4) / 5 the points lie at -2, 0, 2; across it at -1 and 1 in turn.
    const point = (u: number, v: number) => [10 + (3 * u - 4 * v) / 5, -7 + (4 * u + 3 * v) / 5];
    const rows = Float32Array.from([...point(-2, 0), ...point(2, 0), ...point(0, -1), ...point(0, 1)]);
    const { projected, shares } = principalComponents(rows, 2, 2);
    expectClose(shares, [0.8, 0.2], { absolute: 1e-6 });
    expectClose(projected, [-2, 0, 2, 0, 0, 1, 0, -1], { absolute: 1e-5 });
  });

  it('gives the same by covariance and by products of rows', () => {
    const [R, C] = [9, 14];
    const few = randomArray(R * C, 'pca');
    // Every row twice: the same directions and shares, but more rows than channels.
    const many = Float32Array.from([...few, ...few]);
    const a = principalComponents(few, C, 3);
    const b = principalComponents(many, C, 3);
    expectClose(b.shares, a.shares, { relative: 1e-9 });
    // An axis may point either way.
    for (const i of [0, 1, 2]) {
      const sign = Math.sign(a.projected[i] * b.projected[i]);
      for (let r = 0; r < R; r++)
        expect(sign * b.projected[3 * r + i]).toBeCloseTo(a.projected[3 * r + i], 7);
    }
  });

  it('keeps all variance, and components do not correlate', () => {
    const [R, C] = [50, 4];
    const { projected, shares } = principalComponents(randomArray(R * C, 'pca all'), C, C);
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 10);
    for (let i = 0; i < C; i++) {
      for (let j = 0; j < i; j++) {
        let sum = 0;
        for (let r = 0; r < R; r++) sum += projected[r * C + i] * projected[r * C + j];
        expect(Math.abs(sum)).toBeLessThan(1e-8);
      }
    }
  });

  it('leaves zeros where there is nothing to find', () => {
    const line = principalComponents(Float32Array.of(0, 0, 0, 1, 2, 3, 2, 4, 6), 3, 3);
    expectClose(line.shares, [1, 0, 0], { absolute: 1e-12 });
    expect([...line.projected].filter((_, i) => i % 3 > 0)).toEqual(new Array(6).fill(0));
    const equal = principalComponents(new Float32Array(12).fill(5), 3, 3);
    expect([...equal.projected]).toEqual(new Array(12).fill(0));
    expect([...principalComponents(Float32Array.of(1, 2, 3), 3, 3).projected]).toEqual([0, 0, 0]);
  });

  it('refuses sizes that disagree', () => {
    expect(() => principalComponents(new Float32Array(5), 2, 1)).toThrow(RangeError);
    expect(() => principalComponents(new Float32Array(4), 2, 3)).toThrow(RangeError);
  });
});
