/**
 * torch's SGD for one tensor, literally and in double precision (the algorithm in the documentation of
 * torch.optim.SGD, without dampening): what the solver in the graph is compared with.
 */

export interface SgdReferenceOptions {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
}

export interface SgdReferenceState {
  parameter: readonly number[];
  /** Undefined before the first step. */
  buffer: readonly number[] | undefined;
}

/** One update; the state is not changed. */
export function sgdStep(
  { parameter, buffer }: SgdReferenceState,
  gradient: readonly number[],
  rate: number,
  { momentum, nesterov, weightDecay }: SgdReferenceOptions,
): { parameter: number[]; buffer: number[] } {
  const decayed = gradient.map((g, i) => g + weightDecay * parameter[i]);
  const moved = decayed.map((g, i) => (buffer === undefined ? g : momentum * buffer[i] + g));
  const step = nesterov ? decayed.map((g, i) => g + momentum * moved[i]) : moved;
  return { parameter: parameter.map((p, i) => p - rate * step[i]), buffer: moved };
}
