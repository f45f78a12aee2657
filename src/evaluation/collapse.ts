/**
 * Signs of collapse: a network trained without negatives may give the same output for every image, at a perfect loss. The
 * training step measures the spread of its outputs (`models/ssl/gauges.ts`); it falls to 0 when all become equal (Chen and
 * He, "Exploring Simple Siamese Representation Learning", CVPR 2021, figure 2).
 */

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
