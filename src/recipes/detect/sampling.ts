/** The configuration's numbers of anchors, proposals and detections, as the host's part of a step takes them. */

import type { DetectConfig } from '../../config/schemas/detect.js';
import type { DetectHostOptions } from '../../models/detection/detect-host.js';
import { IGNORED } from '../../models/detection/matcher.js';
import type { TrainBatchOptions, TrainHostOptions } from '../../models/detection/train-host.js';
import { anchorsOf } from './options.js';
import type { DetectLimits } from './saved-limits.js';

/** Which anchors are objects, and how many an image is trained on. */
export function anchorSampling(config: DetectConfig): Omit<TrainBatchOptions, 'step'> {
  const { rpn } = config.model;
  return {
    seed: config.seed,
    anchors: anchorsOf(config),
    rule: { thresholds: [...rpn.iou_thresholds], labels: [0, IGNORED, 1], lowQuality: true },
    size: { count: rpn.batch_size_per_image, positiveFraction: rpn.positive_fraction },
  };
}

/** @param classes K */
export function trainHostOptions({ model }: DetectConfig, classes: number): TrainHostOptions {
  const { rpn, roi, masks } = model;
  return {
    classes,
    masks,
    candidatesPerLevel: rpn.pre_nms_topk_train,
    proposals: rpn.post_nms_topk_train,
    proposalNms: rpn.nms,
    rule: { thresholds: [roi.iou_threshold], labels: [0, 1], lowQuality: false },
    sample: { count: roi.batch_size_per_image, positiveFraction: roi.positive_fraction },
  };
}

/** @param classes K */
export function detectHostOptions(config: DetectConfig, classes: number): DetectHostOptions {
  return { anchors: anchorsOf(config), classes, ...detectLimits(config) };
}

export function detectLimits({ model: { rpn, test } }: DetectConfig): DetectLimits {
  return {
    candidatesPerLevel: rpn.pre_nms_topk_test,
    proposals: rpn.post_nms_topk_test,
    proposalNms: rpn.nms,
    scoreThreshold: test.score_threshold,
    nmsThreshold: test.nms,
    keep: test.detections,
  };
}
