/**
 * Signs of collapse: a network trained without negatives may give the same output for every image, at a perfect loss.
 *
 * Host versions of the gauges, for features that are in memory anyway; the training step computes the spread in its graph
 * by the same definition. The spread falls to 0 when all outputs become equal (Chen and He, "Exploring Simple Siamese
 * Representation Learning", CVPR 2021, figure 2). The effective rank falls to 1 when they come to lie on a line, which
 * the spread does not see. Letters: R rows, C channels.
 */

/** Features [R, C], row-major, need not be normalised, and what each row counts (default 1; 0 for padding). */
export interface Outputs {
  data: Float32Array;
  channels: number;
  weights?: ArrayLike<number>;
}

/**
 * Standard deviation over the rows, once each is divided by its norm, averaged over channels and times the root of C:
 * about 1 when the outputs are spread evenly over the sphere, 0 when all are equal.
 *
 * @throws RangeError when there is no row with weight, or sizes disagree
 */
export function outputSpread(outputs: Outputs): number {
  const { channels: C } = outputs;
  const centred = centredRows(outputs);
  let sum = 0;
  for (let c = 0; c < C; c++) {
    let variance = 0;
    for (let i = c; i < centred.length; i += C) variance += centred[i] * centred[i];
    sum += Math.sqrt(variance);
  }
  return (sum / C) * Math.sqrt(C);
}

/**
 * In how many directions the normalised outputs vary: the participation ratio of their covariance, (sum of its
 * eigenvalues)^2 / (sum of their squares), from 1 (a line) to min(R - 1, C) (all alike). Needs no eigenvalues, only traces.
 *
 * @returns 0 when the outputs do not vary at all
 * @throws RangeError as `outputSpread`
 */
export function effectiveRank(outputs: Outputs): number {
  const { channels: C } = outputs;
  const Z = centredRows(outputs);
  const R = Z.length / C;
  let trace = 0;
  for (const value of Z) trace += value * value;
  if (trace < 1e-12) return 0;
  // Z Z^T and Z^T Z have the same eigenvalues: take the smaller one.
  const [count, length, step, stride] = R < C ? [R, C, C, 1] : [C, R, 1, C];
  let squares = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let product = 0;
      for (let k = 0; k < length; k++) product += Z[i * step + k * stride] * Z[j * step + k * stride];
      squares += (i === j ? 1 : 2) * product * product;
    }
  }
  return trace ** 2 / squares;
}

export interface CollapseOptions {
  /** Spreads below this are suspicious; default 0.1. */
  threshold?: number;
  /** So many measurements in a row must be suspicious; default 20. */
  patience?: number;
}

/**
 * Judges the spreads measured so far, oldest first.
 *
 * @returns the text of a warning when the last ones all stayed under the threshold, else undefined
 */
export function judgeCollapse(spreads: readonly number[], options: CollapseOptions = {}): string | undefined {
  const { threshold = 0.1, patience = 20 } = options;
  const recent = spreads.slice(-patience);
  if (recent.length < patience || !recent.every((spread) => spread < threshold)) return undefined;
  const last = recent[recent.length - 1].toFixed(3);
  return (
    `the outputs are collapsing: their spread is ${last} and was under ${threshold} in the last ${patience} measurements ` +
    '(1 is healthy, 0 means the same output for every image). Check that the learning rate is not too high for the ' +
    'batch size, and that the momentum of the target network is near 1.'
  );
}

/** Rows divided by their norms, minus their weighted mean, times the root of their share of the weight. */
function centredRows({ data, channels: C, weights }: Outputs): Float64Array {
  const R = data.length / C;
  if (!Number.isInteger(R) || (weights !== undefined && weights.length !== R)) {
    throw new RangeError(
      `outputs [R, C] have ${data.length} values for C = ${C}, and ${weights?.length ?? 'no'} weights`,
    );
  }
  const share = Float64Array.from(weights ?? new Float64Array(R).fill(1));
  const total = share.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError('outputs: no row has any weight');
  const rows = Float64Array.from(data);
  const mean = new Float64Array(C);
  for (let r = 0; r < R; r++) {
    const row = rows.subarray(r * C, (r + 1) * C);
    const norm = Math.max(Math.hypot(...row), 1e-12);
    for (let c = 0; c < C; c++) {
      row[c] /= norm;
      mean[c] += (row[c] * share[r]) / total;
    }
  }
  for (let i = 0; i < rows.length; i++) {
    rows[i] = (rows[i] - mean[i % C]) * Math.sqrt(share[Math.floor(i / C)] / total);
  }
  return rows;
}
