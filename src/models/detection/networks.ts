/**
 * Faster R-CNN, or Mask R-CNN, with a feature pyramid: the whole network under Detectron2's names, in the order of its state
 * dict. What is asked of the host between the parts, and the losses, are the training step's.
 *
 * Letters: N images, K classes without background, A anchors of a cell, R regions, M regions with a mask.
 */

import { type ResNetName, stageChannels } from '../../core/architectures.js';
import type { Runtime } from '../../engine/runtime.js';
import { ModuleStore } from '../../nn/module-store.js';
import type { Mode, NormKind } from '../../nn/norm.js';
import type { Tensor } from '../../ops/tf.js';
import { ResNet } from '../backbone/resnet.js';
import type { WeightsStyle } from '../backbone/resnet-layers.js';
import { Fpn, type PyramidMaps } from '../neck/fpn.js';
import { DEFAULT_ANCHORS } from './anchors.js';
import { BOX_SIDE, BoxHead, type BoxHeadKind } from './box-head.js';
import { BoxPredictor } from './box-predictor.js';
import { MaskHead } from './mask-head.js';
import { RpnHead } from './rpn-head.js';

/** `batch` is over all images, also those of other replicas. */
export type DetectorNorm = 'frozen' | 'batch' | 'none';

export interface DetectorOptions {
  backbone: ResNetName;
  weightsStyle: WeightsStyle;
  /** See `ResNetOptions`. */
  freezeAt: number;
  /** `boxHead` counts with `4conv1fc` only. */
  norms: { backbone: DetectorNorm; fpn: DetectorNorm; boxHead: DetectorNorm; maskHead: DetectorNorm };
  boxHead: BoxHeadKind;
  /** Mask R-CNN. */
  masks: boolean;
  /** K */
  classes: number;
  /** Channels of the pyramid and of the region proposals; default 256. */
  fpnChannels?: number;
  /** Units of the fully connected layers; default 1024. */
  fcDim?: number;
  /** Channels of the convolutions of both heads; default 256. */
  convDim?: number;
  /** A, anchors of a cell; default 3. */
  anchors?: number;
  /** Side of a region's map in the box head; default 7. */
  boxSide?: number;
}

export class Detector {
  readonly options: DetectorOptions;
  readonly store: ModuleStore;
  readonly backbone: ResNet;
  readonly fpn: Fpn;
  readonly rpnHead: RpnHead;
  readonly boxHead: BoxHead;
  readonly boxPredictor: BoxPredictor;
  /** Mask R-CNN only. */
  readonly maskHead: MaskHead | undefined;

  constructor(runtime: Runtime, options: DetectorOptions) {
    const { backbone, weightsStyle, freezeAt, norms, boxHead, masks, classes } = options;
    const { fpnChannels: channels = 256, fcDim = 1024, convDim = 256, boxSide: side = BOX_SIDE } = options;
    const { anchors = DEFAULT_ANCHORS.ratios.length } = options;
    const store = new ModuleStore(runtime, 'detector');
    this.options = options;
    this.store = store;
    // The order of the state dict: the pyramid is declared before what is below it.
    this.fpn = new Fpn(store, 'backbone.', {
      inputs: stageChannels(backbone),
      channels,
      norm: kindOf(norms.fpn),
    });
    this.backbone = new ResNet(store, 'backbone.bottom_up.', backbone, {
      spelling: 'detectron2',
      style: weightsStyle,
      norm: kindOf(norms.backbone),
      freezeAt,
    });
    this.rpnHead = new RpnHead(store, 'proposal_generator.rpn_head.', { channels, anchors });
    const box = { kind: boxHead, channels, convDim, fcDim, norm: kindOf(norms.boxHead), side };
    this.boxHead = new BoxHead(store, 'roi_heads.box_head.', box);
    this.boxPredictor = new BoxPredictor(store, 'roi_heads.box_predictor.', { inputs: fcDim, classes });
    const mask = { channels, convDim, classes, norm: kindOf(norms.maskHead) };
    this.maskHead = masks ? new MaskHead(store, 'roi_heads.mask_head.', mask) : undefined;
  }

  /** The pyramid of images. @param images [N, H, W, 3], normalised; H and W are multiples of 32 and may be open */
  features(images: Tensor, mode: Mode): PyramidMaps {
    return this.fpn.forward(this.backbone.forward(images, mode), mode);
  }
}

function kindOf(norm: DetectorNorm): NormKind {
  return norm === 'batch' ? 'sync' : norm;
}
