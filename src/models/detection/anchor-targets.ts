/**
 * What the RPN learns from an image: which anchors are objects, which are not, and how far off the positive ones are.
 * It does not depend on the network, so it is made while the step before is running.
 */

import { takeRows } from '../../core/array.js';
import { anchorOverlaps } from './anchor-overlaps.js';
import type { AnchorGrid } from './anchors.js';
import { ANCHOR_WEIGHTS, encodeBoxes } from './box-coder.js';
import { ANCHOR_SAMPLE, type Rank, type SampleSize, sampleLabels } from './label-sampler.js';
import { ANCHOR_RULE, type MatchRule, match } from './matcher.js';

/** The anchors that an image is trained on; S+ positive, S- negative. */
export interface AnchorTargets {
  /** [S+], [S-] flat indices, in the order of sampling */
  readonly positives: Int32Array;
  readonly negatives: Int32Array;
  /** [S+, 4] from each positive anchor to its object */
  readonly deltas: Float32Array;
}

/**
 * @param objects [G, 4] in pixels of the resized image
 * @param rank of an anchor by its flat index
 */
export function anchorTargets(
  objects: Float32Array,
  grid: AnchorGrid,
  rank: Rank,
  { rule = ANCHOR_RULE, size = ANCHOR_SAMPLE }: { rule?: MatchRule; size?: SampleSize } = {},
): AnchorTargets {
  const matches = match(anchorOverlaps(objects, grid), rule);
  const { positives, negatives } = sampleLabels(matches.labels, size, rank);
  const targets = takeRows(
    objects,
    positives.map((id) => matches.objects[id]),
    4,
  );
  return { positives, negatives, deltas: encodeBoxes(grid.boxesOf(positives), targets, ANCHOR_WEIGHTS) };
}
