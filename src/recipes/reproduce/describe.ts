/** A table in words and numbers: what all of its outputs share. */

import type { PairedDifference } from '../../evaluation/statistics.js';
import type { Entry } from './table.js';

/** `31.2 ± 0.8 (3)`: mean, standard deviation, number of seeds. */
export function entryText({ mean, deviation, n }: Entry): string {
  return n === 1 ? `${mean.toFixed(1)} (1)` : `${mean.toFixed(1)} ± ${deviation.toFixed(1)} (${n})`;
}

/** `+4.1 ± 1.2, 3 of 3`: mean difference, half of the 95 % interval, wins; in words where nothing can be told. */
export function differenceText(difference: PairedDifference): string {
  const { n, mean, margin, wins, distinguishable } = difference;
  const size = Math.abs(mean).toFixed(1);
  const sign = size === '0.0' ? '±' : mean < 0 ? '−' : '+';
  const signed = sign + size;
  if (n === 1) return `${signed}, one seed: no interval`;
  const verdict = distinguishable ? '' : ': not distinguishable';
  return `${signed} ± ${margin.toFixed(1)}, ${wins} of ${n}${verdict}`;
}

export const CAPTION =
  'Percent; mean ± standard deviation over seeds (number of seeds). Differences are taken seed by seed: mean ± half of the 95 % ' +
  'interval of Student’s t, and how often the first row was ahead.';

export const PAPER_CAPTION =
  'The paper’s own figures (README of the reference): ResNet-50, ImageNet, COCO 1x. Another protocol: to be read beside the table, not with it.';
