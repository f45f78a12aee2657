/** What a training run says when its numbers are no longer finite, in the host's part of a step. */

import { UserError } from '../../core/errors.js';

/** Numbers of the network are not finite: the run has diverged, and only the user can tell why. */
export class DivergenceError extends UserError {
  /** What is not finite, e.g. `RPN boxes`. */
  readonly term: string;

  /** @param value what was found first */
  constructor(term: string, problem: string, value: number) {
    super(problem, {
      key: term,
      value: String(value),
      remedy:
        'Lower the learning rate, lengthen the warm-up, or check the weights that the run started from.',
    });
    this.name = 'DivergenceError';
    this.term = term;
  }
}

/** Whether all of `values` from one position to before another are finite. */
export function allFinite(values: Float32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

/** @throws DivergenceError naming the term and the first row of `width` numbers that is not finite */
export function requireFinite(term: string, values: Float32Array, width: number): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const rows = values.length / width;
  throw new DivergenceError(term, `row ${Math.floor(at / width)} of ${rows} is not finite`, values[at]);
}
