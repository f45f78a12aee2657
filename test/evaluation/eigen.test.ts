import { describe, expect, it } from 'vitest';
import { type Eigen, jacobiEigen, leadingEigenvectors } from '../../src/evaluation/eigen.js';
import { expectClose, randomArray } from '../helpers/arrays.js';

/** X^T X of random rows: symmetric, no negative eigenvalues; of rank `rows` when that is less. */
function randomMatrix(n: number, rows = 2 * n): Float64Array {
  const x = randomArray(rows * n, `eigen ${n}`);
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let r = 0; r < rows; r++) matrix[i * n + j] += x[r * n + i] * x[r * n + j];
    }
  }
  return matrix;
}

/** M v = value v, and the vectors are orthonormal. */
function expectEigen(matrix: Float64Array, n: number, { values, vectors }: Eigen): void {
  for (const [i, value] of values.entries()) {
    const vector = vectors.subarray(i * n, (i + 1) * n);
    const product = vector.map((_, r) => vector.reduce((sum, v, c) => sum + matrix[r * n + c] * v, 0));
    expectClose(
      product,
      vector.map((v) => value * v),
      { absolute: 1e-5 * values[0], relative: 0 },
    );
    for (let j = 0; j <= i; j++) {
      const dot = vector.reduce((sum, v, k) => sum + v * vectors[j * n + k], 0);
      expect(dot).toBeCloseTo(i === j ? 1 : 0, 10);
    }
  }
}

describe('jacobiEigen', () => {
  it('solves what is known', () => {
    // [[2, 1], [1, 2]]: 3 along (1, 1), 1 along (1, -1).
    const { values, vectors } = jacobiEigen(Float64Array.of(2, 1, 1, 2), 2);
    expectClose(values, [3, 1], { absolute: 1e-14 });
    expectClose(vectors, [Math.SQRT1_2, Math.SQRT1_2, Math.SQRT1_2, -Math.SQRT1_2], { absolute: 1e-14 });
  });

  it('sorts a diagonal matrix, negative values and all', () => {
    const { values, vectors } = jacobiEigen(Float64Array.of(-1, 0, 0, 0, 5, 0, 0, 0, 2), 3);
    expect([...values]).toEqual([5, 2, -1]);
    expect([...vectors]).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0]);
  });

  it('finds all of a random matrix: their sum is the trace', () => {
    const matrix = randomMatrix(12);
    const eigen = jacobiEigen(matrix, 12);
    expectEigen(matrix, 12, eigen);
    const trace = Array.from({ length: 12 }, (_, i) => matrix[i * 13]).reduce((a, b) => a + b);
    expect(eigen.values.reduce((a, b) => a + b)).toBeCloseTo(trace, 8);
  });
});

describe('leadingEigenvectors', () => {
  it.each([1, 2, 5, 11, 40, 150])('are those of Jacobi, n = %i', (n) => {
    const matrix = randomMatrix(n);
    const count = Math.min(3, n);
    const eigen = leadingEigenvectors(matrix, n, count);
    expectEigen(matrix, n, eigen);
    expectClose(eigen.values, jacobiEigen(matrix, n).values.subarray(0, count), { relative: 1e-9 });
  });

  it('stand a matrix of low rank, equal eigenvalues and zeros', () => {
    const low = leadingEigenvectors(randomMatrix(30, 2), 30, 3);
    expect(low.values[1]).toBeGreaterThan(0.1);
    expect(Math.abs(low.values[2])).toBeLessThan(1e-9);
    const identity = Float64Array.from({ length: 400 }, (_, i) => (i % 21 === 0 ? 1 : 0));
    expectEigen(identity, 20, leadingEigenvectors(identity, 20, 3));
    expect([...leadingEigenvectors(new Float64Array(400), 20, 3).values]).toEqual([0, 0, 0]);
  });

  it('are the same every time, with the largest component positive', () => {
    const matrix = randomMatrix(60);
    const { vectors } = leadingEigenvectors(matrix, 60, 3);
    expect([...leadingEigenvectors(matrix, 60, 3).vectors]).toEqual([...vectors]);
    for (const i of [0, 1, 2]) {
      const vector = vectors.subarray(60 * i, 60 * (i + 1));
      expect(Math.max(...vector)).toBe(Math.max(...vector.map(Math.abs)));
    }
  });

  it('refuse sizes that disagree', () => {
    expect(() => leadingEigenvectors(new Float64Array(5), 2, 1)).toThrow(RangeError);
    expect(() => leadingEigenvectors(new Float64Array(4), 2, 3)).toThrow(RangeError);
  });
});
