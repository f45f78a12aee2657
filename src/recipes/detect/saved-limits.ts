/** How many candidates, proposals and detections there may be, in a checkpoint: a detector finds the same wherever it is used. */

import { type FileDict, type FileValue, float, numberOf } from '../../formats/value.js';
import type { DetectHostOptions } from '../../models/detection/detect-host.js';

export type DetectLimits = Required<Omit<DetectHostOptions, 'classes' | 'anchors'>>;

/** Under the names of the configuration, those of the description of a detector (`checkpoint/detector-description.ts`). */
const NAMES: Readonly<Record<keyof DetectLimits, string>> = {
  candidatesPerLevel: 'pre_nms_topk_test',
  proposals: 'post_nms_topk_test',
  proposalNms: 'rpn_nms',
  scoreThreshold: 'score_threshold',
  nmsThreshold: 'nms',
  keep: 'detections',
};

export function savedLimits(limits: DetectLimits): [string, FileValue][] {
  return Object.entries(NAMES).map(([key, name]) => [name, float(limits[key as keyof DetectLimits])]);
}

/** What a file says of them; nothing in those of others. */
export function limitsIn(about: FileDict): Partial<DetectLimits> {
  const found = Object.entries(NAMES).map(([key, name]) => [key, numberOf(about.get(name))] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
