/** What can be said of a few figures: means, and differences of pairs, by Student's t. */

export interface Spread {
  readonly n: number;
  readonly mean: number;
  /** Of one figure, with n - 1; NaN of a single one. */
  readonly deviation: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, deviation: n > 1 ? Math.sqrt(squares / (n - 1)) : Number.NaN };
}

/** The differences `a[i] - b[i]`. */
export interface PairedDifference extends Spread {
  /** Half the width of the 95 % interval of the mean; NaN of a single pair. */
  readonly margin: number;
  /** Pairs of which the first is the larger. */
  readonly wins: number;
  /** Whether the interval leaves out 0. */
  readonly distinguishable: boolean;
}

/** @param pairs figures that were measured under the same conditions */
export function pairedDifference(pairs: readonly (readonly [a: number, b: number])[]): PairedDifference {
  const spread = spreadOf(pairs.map(([a, b]) => a - b));
  const { n, mean, deviation } = spread;
  const margin = n > 1 ? (studentQuantile(0.975, n - 1) * deviation) / Math.sqrt(n) : Number.NaN;
  const wins = pairs.filter(([a, b]) => a > b).length;
  return { ...spread, margin, wins, distinguishable: Math.abs(mean) > margin };
}

/**
 * The value that Student's t stays below with a probability above 0.5.
 *
 * @param freedom degrees of freedom, at least 1
 */
export function studentQuantile(probability: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentCdf(high, freedom) < probability) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, freedom) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(T <= t) for t >= 0, by the finite sums of whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4). */
function studentCdf(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = 0;
  for (let k = odd ? 1 : 0; k <= freedom - 2; k += 2) {
    sum += term;
    term *= ((k + 1) / (k + 2)) * cosine ** 2;
  }
  const within = odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return (1 + within) / 2;
}
