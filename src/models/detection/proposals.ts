/**
 * From the RPN's best boxes to proposals: clipped to the image, none empty, duplicates suppressed within a level, the best
 * of all levels kept.
 */

import { takeRows } from '../../core/array.js';
import { clipBoxes, hasArea } from './boxes.js';
import { allFinite, requireFinite } from './divergence.js';
import { nonMaximumSuppression } from './nms.js';

/** Boxes of one image with their anchors. */
export interface Proposals {
  /** [n] flat index of the anchor that each comes from */
  readonly ids: Int32Array;
  /** [n, 4] xyxy in pixels of the resized image */
  readonly boxes: Float32Array;
  /** [n] */
  readonly logits: Float32Array;
}

/** What the graph found: the highest logits of each level, level after level. Boxes are decoded, not clipped. */
export interface Candidates extends Proposals {
  /** How many of each level. */
  readonly perLevel: readonly number[];
}

export interface ProposalOptions {
  /** Of the resized image without padding, in pixels. */
  readonly height: number;
  readonly width: number;
  /** 0.7 by default. */
  readonly nmsThreshold?: number;
  /** 1000 by default, of all levels together. */
  readonly keep?: number;
  /** Candidates that are not finite stop training; in inference they are left out. */
  readonly training: boolean;
}

/**
 * @returns proposals, highest logit first
 * @throws DivergenceError in training, when a box or logit is not finite
 */
export function selectProposals(candidates: Candidates, options: ProposalOptions): Proposals {
  const { height, width, nmsThreshold: threshold = 0.7, keep: limit = 1000, training } = options;
  if (training) {
    requireFinite('RPN boxes', candidates.boxes, 4);
    requireFinite('RPN logits', candidates.logits, 1);
  }
  const boxes = clipBoxes(candidates.boxes.slice(), width, height);
  const usable = candidates.ids.map((_, i) => i).filter((i) => isUsable(candidates, i) && hasArea(boxes, i));
  const clipped = takeProposals({ ...candidates, boxes }, usable);
  const levels = levelsOf(candidates.perLevel);
  const kept = nonMaximumSuppression(
    clipped.boxes,
    clipped.logits,
    usable.map((i) => levels[i]),
    { threshold, limit },
  );
  return takeProposals(clipped, kept);
}

function isUsable({ boxes, logits }: Candidates, i: number): boolean {
  return Number.isFinite(logits[i]) && allFinite(boxes, 4 * i, 4 * i + 4);
}

function levelsOf(perLevel: readonly number[]): Uint8Array {
  return Uint8Array.from(perLevel.flatMap((count, level) => new Array<number>(count).fill(level)));
}

function takeProposals({ ids, boxes, logits }: Proposals, rows: Int32Array): Proposals {
  return {
    ids: rows.map((row) => ids[row]),
    boxes: takeRows(boxes, rows, 4),
    logits: takeRows(logits, rows, 1),
  };
}
