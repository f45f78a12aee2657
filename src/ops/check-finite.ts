import { FLOAT, gate, operation, type Tensor, toTensor, withGradient } from './tf.js';

/**
 * The same value; when it is not finite the step fails with the term's name in the message (`notFinite`), and no variable is
 * changed.
 */
export function checkFinite(term: string, x: Tensor): Tensor {
  return withGradient([x], () => {
    const message = { kind: 'string', value: `${MARK}${term}` } as const;
    const check = operation('CheckNumerics', [x], { ...FLOAT, message });
    gate(check);
    return { value: toTensor(check.outputs[0]), saved: [], gradient: (dy) => [dy] };
  });
}

const MARK = 'not finite: ';

/** The term that made a step fail; undefined for errors of another kind. */
export function notFinite(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return new RegExp(`${MARK}(\\S+) : Tensor had`).exec(error.message)?.[1];
}
