/**
 * Which boxes the heads learn from: proposals and the objects themselves, labelled by what they overlap, some of them
 * sampled. Foreground comes first, so that the mask head takes the first rows.
 */

import { joined, takeRows } from '../../core/array.js';
import { encodeBoxes, PROPOSAL_WEIGHTS } from './box-coder.js';
import { boxOverlaps } from './box-iou.js';
import { PROPOSAL_SAMPLE, type Rank, type SampleSize, sampleLabels } from './label-sampler.js';
import { type MatchRule, match, PROPOSAL_RULE } from './matcher.js';
import type { Proposals } from './proposals.js';

/** What is to be found in an image; G may be 0. */
export interface Objects {
  /** [G, 4] xyxy in pixels of the resized image */
  readonly boxes: Float32Array;
  /** [G] 0 to K - 1 */
  readonly classes: Int32Array;
}

/** The boxes that an image's heads are trained on: S, of which the first F are foreground. */
export interface SampledRois {
  readonly foreground: number;
  /** [S] anchor of each; of an object, the number of anchors plus its position */
  readonly ids: Int32Array;
  /** [S, 4] */
  readonly boxes: Float32Array;
  /** [S] K for background */
  readonly classes: Int32Array;
  /** [F] the object of each */
  readonly objects: Int32Array;
  /** [F, 4] from each box to its object */
  readonly deltas: Float32Array;
}

export interface RoiSamplerOptions {
  /** K */
  readonly classes: number;
  /** Of all levels: ids of objects begin here. */
  readonly anchors: number;
  readonly rule?: MatchRule;
  readonly size?: SampleSize;
}

/** @param rank of a box by its id */
export function sampleRois(
  proposals: Proposals,
  objects: Objects,
  rank: Rank,
  { classes: background, anchors, rule = PROPOSAL_RULE, size = PROPOSAL_SAMPLE }: RoiSamplerOptions,
): SampledRois {
  const boxes = joined([proposals.boxes, objects.boxes]);
  const known = proposals.ids.length;
  const idOf = (i: number) => (i < known ? proposals.ids[i] : anchors + i - known);
  const matches = match(boxOverlaps(objects.boxes, boxes), rule);
  const { positives, negatives } = sampleLabels(matches.labels, size, (i) => rank(idOf(i)));
  const chosen = Int32Array.of(...positives, ...negatives);
  const found = positives.map((i) => matches.objects[i]);
  const sampled = takeRows(boxes, chosen, 4);
  return {
    foreground: positives.length,
    ids: chosen.map(idOf),
    boxes: sampled,
    classes: chosen.map((_, i) => (i < found.length ? objects.classes[found[i]] : background)),
    objects: found,
    deltas: encodeBoxes(
      sampled.subarray(0, 4 * found.length),
      takeRows(objects.boxes, found, 4),
      PROPOSAL_WEIGHTS,
    ),
  };
}
