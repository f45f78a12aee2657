/**
 * LARS on SGD with momentum for one tensor, literally and in double precision: what the optimiser in the graph is
 * compared with. `test/solver/lars-reference.test.ts` checks it against values worked out from torch's SGD.
 */

export interface LarsReferenceOptions {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
  trust: number;
  /** Layer-wise rate and decay; otherwise the plain gradient. */
  adapted: boolean;
  /** The gradient of an excluded tensor is multiplied by the rate once more. */
  squaredRate: boolean;
}

export interface LarsReferenceState {
  parameter: readonly number[];
  /** Undefined before the first step. */
  buffer: readonly number[] | undefined;
}

/** One update; the state is not changed. */
export function larsStep(
  { parameter, buffer }: LarsReferenceState,
  gradient: readonly number[],
  rate: number,
  options: LarsReferenceOptions,
): { parameter: number[]; buffer: number[] } {
  const { momentum, nesterov } = options;
  const direction = larsDirection(parameter, gradient, rate, options);
  const moved = direction.map((g, i) => (buffer === undefined ? g : momentum * buffer[i] + g));
  const step = nesterov ? direction.map((g, i) => g + momentum * moved[i]) : moved;
  return { parameter: parameter.map((p, i) => p - rate * step[i]), buffer: moved };
}

function larsDirection(
  parameter: readonly number[],
  gradient: readonly number[],
  rate: number,
  { weightDecay, trust, adapted, squaredRate }: LarsReferenceOptions,
): number[] {
  if (!adapted) return gradient.map((g) => (squaredRate ? rate * g : g));
  const weightNorm = norm(parameter);
  const gradientNorm = norm(gradient);
  const ratio =
    weightNorm > 0 && gradientNorm > 0
      ? (trust * weightNorm) / (gradientNorm + weightDecay * weightNorm + 1e-8)
      : 1;
  return gradient.map((g, i) => ratio * (g + weightDecay * parameter[i]));
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
