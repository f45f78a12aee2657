/**
 * The protocols by which self-supervised backbones are rated with detectors (COCO, FPN, 1x). They differ by as much as the
 * methods do, so results of two must not be compared.
 *
 * r1: facebookresearch/moco, issues 34 and 39. r2: the repositories of PyContrast, DenseCL and PixPro. r3: the SCRL
 * reference's README, which names the norms ("in every configurable layer") and the default 1x schedule only: what it
 * does not say, the stages that are frozen, the box head and precise BN, is taken from r1.
 */

import type { Presets } from '../define-schema.js';

/** Weights as PyTorch has them, everything trained, statistics measured before an evaluation. */
const ALL_TRAINED = {
  'model/weights_style': 'torch',
  'model/freeze_at': 0,
  'model/norm/backbone': 'batch',
  'model/norm/fpn': 'batch',
  'train/precise_bn/enabled': true,
};

export const DETECT_PROTOCOLS: Presets = {
  r1: ALL_TRAINED,
  r2: {
    ...ALL_TRAINED,
    'model/box_head': '4conv1fc',
    'model/norm/box_head': 'batch',
    'model/norm/mask_head': 'batch',
  },
  r3: { ...ALL_TRAINED, 'model/norm/mask_head': 'batch' },
};
