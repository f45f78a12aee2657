/** What a detector's configuration means to the network: its options, its input, and the line that tells protocols apart. */

import type { DetectConfig } from '../../config/schemas/detect.js';
import { type AnchorOptions, DEFAULT_ANCHORS } from '../../models/detection/anchors.js';
import type { DetectorOptions } from '../../models/detection/networks.js';

/** @param classes K, of the annotations */
export function detectorOptions({ model }: DetectConfig, classes: number): DetectorOptions {
  const { norm } = model;
  return {
    backbone: model.backbone,
    weightsStyle: model.weights_style,
    freezeAt: model.freeze_at,
    norms: { backbone: norm.backbone, fpn: norm.fpn, boxHead: norm.box_head, maskHead: norm.mask_head },
    boxHead: model.box_head,
    masks: model.masks,
    classes,
    fpnChannels: model.fpn_channels,
    fcDim: model.fc_dim,
    convDim: model.conv_dim,
    anchors: model.rpn.aspect_ratios.length,
  };
}

/** One size for each level of the pyramid. */
export function anchorsOf({ model: { rpn } }: DetectConfig): AnchorOptions {
  return { ...DEFAULT_ANCHORS, sizes: rpn.anchor_sizes, ratios: rpn.aspect_ratios };
}

/**
 * One line that is in every log, checkpoint and result. Figures of two detectors may be compared when it is the same: norms,
 * frozen stages and heads move AP by as much as pretraining methods do.
 */
export function protocolFingerprint(config: DetectConfig): string {
  const { protocol, model, input, train } = config;
  const { norm } = model;
  const heads = [
    `box ${model.box_head} ${norm.box_head}`,
    ...(model.masks ? [`mask ${norm.mask_head}`] : []),
  ];
  return [
    `protocol ${protocol}`,
    `${model.masks ? 'Mask' : 'Faster'} R-CNN ${model.backbone} FPN`,
    `${model.weights_style} input`,
    `norms ${norm.backbone} fpn ${norm.fpn} ${heads.join(' ')}`,
    `freeze ${model.freeze_at}`,
    train.precise_bn.enabled ? `precise BN ${train.precise_bn.steps}` : 'running BN',
    `short edge ${input.min_size_train.join('/')} test ${input.min_size_test}`,
    `${train.max_steps} steps of ${train.reference_batch}, rate ${train.lr} falling at ${train.steps_at.join(', ') || 'no step'}`,
  ].join('; ');
}
