/** The detector of any file of weights, and how it is built, for the networks that are run here. */

import type { ResNetName } from '../core/architectures.js';
import { UserError } from '../core/errors.js';
import { type Log, SILENT } from '../core/log.js';
import type { FileDict } from '../formats/value.js';
import type { WeightsStyle } from '../models/backbone/resnet-layers.js';
import type { DetectorNorm, DetectorOptions } from '../models/detection/networks.js';
import { type ChoiceOptions, chooseBackbone, weightsStyleOf } from './choose-backbone.js';
import { detectorConstants } from './detector-constants.js';
import { detectorDescription } from './detector-description.js';
import type { DetectorSizes } from './names/detector.js';
import { openWeights } from './open-weights.js';
import type { StateDict } from './state-dict.js';
import { type Model, requireWhole, takeModel } from './take-model.js';
import { named } from './targets.js';

export interface LoadedDetector {
  /** The file that was read. */
  readonly path: string;
  /** How it is built. In inference a norm is a norm: those that are there are called frozen, and nothing is trained. */
  readonly options: DetectorOptions;
  /** By Detectron2's names; lazy, in PyTorch's layout, classes counted from 0 and the background last. */
  readonly tensors: StateDict;
  /** What it is, for people. */
  readonly description: string;
  /** What the file says besides (`detector-description.ts`), or is known of files of its kind (`detector-constants.ts`). */
  readonly about: FileDict;
}

/**
 * @param path a file of any toolkit, a folder of TensorFlow.js weights, or a run folder
 * @throws UserError when there is no detector, one that is not whole, or one that needs other rules than Detectron2's
 */
export async function loadDetector(
  path: string,
  choiceOptions: ChoiceOptions = {},
  log: Log = SILENT,
): Promise<LoadedDetector> {
  const opened = await openWeights(path, log);
  const choice = chooseBackbone(opened, choiceOptions);
  const { groups, chosen, all } = choice;
  const { model, account, sizes } = takeModel(groups, chosen, all);
  requireWhole(account, opened.path);
  const known = requireDetector(model, sizes, opened.path);
  const about =
    detectorDescription(opened.value) ??
    (await detectorConstants(opened.value, chosen.group.tensors, known.classes, opened.path));
  const saved = about.get('weights_style');
  const style = saved === 'torch' || saved === 'msra' ? saved : await weightsStyleOf(choice);
  const options = optionsOf(model, known, style);
  return {
    path: opened.path,
    options,
    tensors: named(model, 'detectron2'),
    description: describe(model.network, options, chosen.family),
    about,
  };
}

function requireDetector(model: Model, sizes: DetectorSizes | undefined, where: string): DetectorSizes {
  const { detector } = model;
  if (detector === undefined || sizes === undefined) {
    throw new UserError('holds a backbone, but no detector', {
      where,
      remedy: 'give the weights of a trained detector; a backbone is what one is trained from',
    });
  }
  if (detector.spelling === 'torchvision') {
    throw new UserError("is a detector of torchvision's, which has other anchors, pooling and thresholds", {
      where,
      remedy: "give one of Detectron2's, or train one from its backbone",
    });
  }
  if (sizes.deltas === 1 && detector.classes > 1) {
    throw new UserError('has box deltas that all classes share', {
      where,
      remedy: 'give a detector with deltas of each class, as the 1x and 3x configurations have',
    });
  }
  return sizes;
}

function optionsOf(model: Model, sizes: DetectorSizes, weightsStyle: WeightsStyle): DetectorOptions {
  const { network: backbone, detector } = model;
  const has = (module: string) => detector?.parts.has(`${module}.weight`) === true;
  const normOf = (module: string): DetectorNorm => (has(`${module}.norm`) ? 'frozen' : 'none');
  return {
    backbone,
    weightsStyle,
    freezeAt: 5,
    norms: {
      backbone: 'frozen',
      fpn: normOf('backbone.fpn_output2'),
      boxHead: normOf('roi_heads.box_head.conv1'),
      maskHead: normOf('roi_heads.mask_head.mask_fcn1'),
    },
    boxHead: sizes.boxConv === undefined ? 'fc2' : '4conv1fc',
    masks: has('roi_heads.mask_head.predictor'),
    classes: sizes.classes,
    fpnChannels: sizes.fpn,
    fcDim: sizes.fc,
    convDim: sizes.boxConv ?? sizes.maskConv,
    anchors: sizes.anchors,
    boxSide: sizes.side,
  };
}

function describe(
  network: ResNetName,
  { masks, boxHead, weightsStyle }: DetectorOptions,
  family: string,
): string {
  return `${masks ? 'Mask' : 'Faster'} R-CNN, ${network}, ${boxHead}, ${weightsStyle} style, ${family}`;
}
