import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { cosineSimilarities } from '../../src/evaluation/cosine.js';
import { normal } from '../helpers/arrays.js';

describe('cosineSimilarities', () => {
  it('visits every pair once, rows in ascending order, whatever the sizes', () => {
    const stream = new RandomStream(7, 'cosine');
    for (const [m, n, d] of [
      [1, 1, 1],
      [5, 3, 2],
      [4, 64, 3],
      [3, 131, 7],
    ]) {
      const queries = Float32Array.from({ length: m * d }, () => normal(stream));
      const rows = Float32Array.from({ length: n * d }, () => normal(stream));
      const seen = Array.from({ length: m }, (): number[] => []);
      cosineSimilarities(
        queries,
        m,
        rows,
        n,
        d,
      )(0, m, (q, r, similarity) => {
        const a = Array.from(queries.subarray(q * d, (q + 1) * d));
        const b = Array.from(rows.subarray(r * d, (r + 1) * d));
        const product = a.reduce((sum, value, i) => sum + value * b[i], 0);
        expect(similarity).toBeCloseTo(product / (Math.hypot(...a) * Math.hypot(...b)), 12);
        expect(seen[q].push(r)).toBe(r + 1);
      });
      expect(seen.map((rowsSeen) => rowsSeen.length)).toEqual(new Array(m).fill(n));
    }
  });

  it('compares only the queries asked for', () => {
    const x = Float32Array.of(1, 2, 3, 4);
    const seen: number[] = [];
    cosineSimilarities(x, 4, x.subarray(0, 1), 1, 1)(1, 3, (q) => seen.push(q));
    expect(seen).toEqual([1, 2]);
  });

  it('is 0 for rows of zeros and refuses what is not finite', () => {
    const zero = new Float32Array(2);
    cosineSimilarities(zero, 1, zero, 1, 2)(0, 1, (_q, _r, similarity) => expect(similarity).toBe(0));
    expect(() => cosineSimilarities(zero, 1, Float32Array.of(1, 1, 1, Number.NaN), 2, 2)).toThrow(
      'cosine similarity: row 1 holds values that are not finite',
    );
  });
});
