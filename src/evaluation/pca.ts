/**
 * Principal components of rows, in 64 bits.
 *
 * Covariance [C, C] and products of the rows [R, R] have the same eigenvalues but for zeros; the smaller matrix is taken, so
 * that 2048 channels of a few hundred cells are no more work than a few hundred channels. Letters: R rows, C channels.
 */

import { leadingEigenvectors } from './eigen.js';

export interface PrincipalComponents {
  /** [R, count] rows, minus their mean, along the components. */
  projected: Float64Array;
  /** [count] share of the whole variance, largest first; 0 where the rows vary in fewer directions. */
  shares: Float64Array;
}

/** Below this share of the largest, a variance is rounding. */
const NOTHING = 1e-12;

/**
 * @param rows [R, C]
 * @param channels C
 * @param count of components, at most C; where the rows vary in fewer directions, the rest are zeros
 * @throws RangeError when sizes disagree
 */
export function principalComponents(
  rows: Float32Array,
  channels: number,
  count: number,
): PrincipalComponents {
  const R = rows.length / channels;
  if (!Number.isInteger(R) || R < 1 || count > channels) {
    throw new RangeError(`PCA: ${count} components of ${rows.length} values, C = ${channels}`);
  }
  const centred = centre(rows, R, channels);
  const total = centred.reduce((sum, value) => sum + value * value, 0);
  const few = R < channels;
  const n = few ? R : channels;
  const { values, vectors } = leadingEigenvectors(
    few ? outer(centred, R, channels) : inner(centred, R, channels),
    n,
    Math.min(count, n),
  );
  const projected = new Float64Array(R * count);
  const shares = new Float64Array(count);
  for (const [i, value] of values.entries()) {
    if (!(value > NOTHING * values[0])) break;
    shares[i] = value / total;
    const vector = vectors.subarray(i * n, (i + 1) * n);
    for (let r = 0; r < R; r++) {
      // An eigenvector of the products of the rows is the projection, but for its length.
      projected[r * count + i] = few ? Math.sqrt(value) * vector[r] : along(centred, r * channels, vector);
    }
  }
  return { projected, shares };
}

function centre(rows: Float32Array, R: number, C: number): Float64Array {
  const mean = new Float64Array(C);
  for (let i = 0; i < rows.length; i++) mean[i % C] += rows[i] / R;
  return Float64Array.from(rows, (value, i) => value - mean[i % C]);
}

/** [C, C] products of the columns, R times the covariance. */
function inner(x: Float64Array, R: number, C: number): Float64Array {
  const out = new Float64Array(C * C);
  for (let r = 0; r < R; r++) {
    const row = x.subarray(r * C, (r + 1) * C);
    for (let i = 0; i < C; i++) {
      const value = row[i];
      for (let j = 0; j <= i; j++) out[i * C + j] += value * row[j];
    }
  }
  return mirrored(out, C);
}

/** [R, R] products of the rows. */
function outer(x: Float64Array, R: number, C: number): Float64Array {
  const out = new Float64Array(R * R);
  for (let i = 0; i < R; i++) {
    const row = x.subarray(i * C, (i + 1) * C);
    for (let j = 0; j <= i; j++) out[i * R + j] = along(x, j * C, row);
  }
  return mirrored(out, R);
}

/** Copies the lower triangle to the upper one. */
function mirrored(matrix: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) matrix[j * n + i] = matrix[i * n + j];
  return matrix;
}

function along(x: Float64Array, start: number, vector: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += x[start + i] * vector[i];
  return sum;
}
