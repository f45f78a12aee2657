/**
 * What a file says of a detector besides its weights, under `scrl`: how its input looks, its anchors and limits, the names of its classes.
 * Our runs write it, conversions carry it along where the file has a place for it, and Detectron2 does not look at it.
 */

import type { FileDict } from '../formats/value.js';

export const DESCRIPTION = 'scrl';

/** The rest of what a run writes there is about the run. */
const KEYS: ReadonlySet<string | number> = new Set([
  'format',
  'kind',
  'weights_style',
  'freeze_at',
  'anchor_sizes',
  'anchor_ratios',
  'min_size_test',
  'max_size_test',
  'pre_nms_topk_test',
  'post_nms_topk_test',
  'rpn_nms',
  'score_threshold',
  'nms',
  'detections',
  'protocol',
  'classes',
  'category_ids',
]);

/** Undefined for files of others. */
export function detectorDescription(file: FileDict): FileDict | undefined {
  const about = file.get(DESCRIPTION);
  if (!(about instanceof Map) || about.get('kind') !== 'detector') return undefined;
  return new Map([...about].filter(([key]) => KEYS.has(key)));
}
