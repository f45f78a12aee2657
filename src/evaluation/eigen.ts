/**
 * Eigenvectors of symmetric matrices, in 64 bits and without chance: equal input gives equal output.
 *
 * Small matrices are turned diagonal by Jacobi's rotations. Of large ones only the leading few eigenvectors are found, by
 * block iteration: a block of vectors is multiplied by the matrix, made orthonormal, and turned within its span so that
 * the matrix is diagonal there (Rayleigh and Ritz). A few vectors more than asked for make it converge fast.
 */

import { RandomStream } from '../core/rng.js';

export interface Eigen {
  /** Largest first. */
  values: Float64Array;
  /** [values.length, n] rows of length 1, the largest component of each positive; zeros beyond the rank of the matrix. */
  vectors: Float64Array;
}

const SPARE_VECTORS = 8;
const MOST_ITERATIONS = 1000;
const TOLERANCE = 1e-12;
const MOST_SWEEPS = 60;

/**
 * The `count` leading eigenvectors.
 *
 * @param matrix [n, n], symmetric, no negative eigenvalues: a covariance, products of rows
 * @throws RangeError when sizes disagree
 */
export function leadingEigenvectors(matrix: Float64Array, n: number, count: number): Eigen {
  if (matrix.length !== n * n || !(count >= 1 && count <= n)) {
    throw new RangeError(`eigenvectors: ${count} of a matrix [${n}, ${n}] with ${matrix.length} values`);
  }
  const width = count + SPARE_VECTORS;
  if (width >= n) {
    const { values, vectors } = jacobiEigen(matrix, n);
    return { values: values.slice(0, count), vectors: vectors.slice(0, count * n) };
  }
  let block = orthonormal(startVectors(width, n), width, n);
  let values: Float64Array = new Float64Array(width);
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    const { rotated, found } = turned(block, product(matrix, block, width, n), width, n);
    const largestChange = found
      .subarray(0, count)
      .reduce((max, value, i) => Math.max(max, Math.abs(value - values[i])), 0);
    values = found;
    block = rotated;
    if (largestChange <= TOLERANCE * Math.abs(found[0])) break;
    block = orthonormal(product(matrix, block, width, n), width, n);
  }
  const vectors = block.slice(0, count * n);
  for (let i = 0; i < count; i++) makePositive(vectors.subarray(i * n, (i + 1) * n));
  return { values: values.slice(0, count), vectors };
}

/**
 * All eigenvectors, by cyclic rotations.
 *
 * @param matrix [n, n], symmetric; small, as a sweep takes n^3 steps
 */
export function jacobiEigen(matrix: Float64Array, n: number): Eigen {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let outside = 0;
    let all = 0;
    for (let i = 0; i < n * n; i++) {
      all += a[i] * a[i];
      if (i % (n + 1) !== 0) outside += a[i] * a[i];
    }
    if (outside <= 1e-30 * all) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i] || i - j);
  const vectors = new Float64Array(n * n);
  for (const [row, i] of order.entries()) {
    vectors.set(v.subarray(i * n, (i + 1) * n), row * n);
    makePositive(vectors.subarray(row * n, (row + 1) * n));
  }
  return { values: Float64Array.from(order, (i) => a[i * n + i]), vectors };
}

/** Makes element (p, q) zero. `v` holds the eigenvectors to be as rows. */
function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q];
  if (apq === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cos = 1 / Math.hypot(t, 1);
  const sin = t * cos;
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[k * n + p], a[k * n + q]];
    a[k * n + p] = cos * x - sin * y;
    a[k * n + q] = sin * x + cos * y;
  }
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[p * n + k], a[q * n + k]];
    a[p * n + k] = cos * x - sin * y;
    a[q * n + k] = sin * x + cos * y;
    const [u, w] = [v[p * n + k], v[q * n + k]];
    v[p * n + k] = cos * u - sin * w;
    v[q * n + k] = sin * u + cos * w;
  }
}

/** The same random numbers every time, so that no eigenvector is orthogonal to all. */
function startVectors(width: number, n: number): Float64Array {
  const stream = new RandomStream(0, 'start of eigenvectors');
  return Float64Array.from({ length: width * n }, () => stream.between(-1, 1));
}

/** Gram and Schmidt, twice, as once loses digits; a vector that vanishes becomes zeros. */
function orthonormal(block: Float64Array, width: number, n: number): Float64Array {
  for (let i = 0; i < width; i++) {
    const row = block.subarray(i * n, (i + 1) * n);
    const before = Math.sqrt(dot(row, row));
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = block.subarray(j * n, (j + 1) * n);
        const share = dot(row, other);
        for (let k = 0; k < n; k++) row[k] -= share * other[k];
      }
    }
    const length = Math.sqrt(dot(row, row));
    const isNothing = length <= 1e-13 * before;
    for (let k = 0; k < n; k++) row[k] = isNothing ? 0 : row[k] / length;
  }
  return block;
}

/** Turns the block within its span. @param multiplied matrix times each vector of the block */
function turned(block: Float64Array, multiplied: Float64Array, width: number, n: number) {
  const small = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      const value = dot(block.subarray(i * n, (i + 1) * n), multiplied.subarray(j * n, (j + 1) * n));
      small[i * width + j] = value;
      small[j * width + i] = value;
    }
  }
  const { values, vectors } = jacobiEigen(small, width);
  const rotated = new Float64Array(width * n);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) {
      const share = vectors[i * width + j];
      for (let k = 0; k < n; k++) rotated[i * n + k] += share * block[j * n + k];
    }
  }
  return { rotated, found: values };
}

/** The matrix times each vector. */
function product(matrix: Float64Array, block: Float64Array, width: number, n: number): Float64Array {
  const out = new Float64Array(width * n);
  for (let r = 0; r < n; r++) {
    const row = matrix.subarray(r * n, (r + 1) * n);
    for (let i = 0; i < width; i++) out[i * n + r] = dot(row, block.subarray(i * n, (i + 1) * n));
  }
  return out;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** An eigenvector may point either way: the one whose largest component is positive is taken, the first of equals. */
function makePositive(vector: Float64Array): void {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest) * (1 + 1e-9)) largest = value;
  if (largest < 0) for (let i = 0; i < vector.length; i++) vector[i] = -vector[i];
}
