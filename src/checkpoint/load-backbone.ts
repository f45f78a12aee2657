/** The backbone of any file of weights, for the networks that are run here. */

import type { ResNetName } from '../core/architectures.js';
import { type Log, SILENT } from '../core/log.js';
import type { WeightsStyle } from '../models/backbone/resnet-layers.js';
import { type ChoiceOptions, chooseBackbone, requireTorchStyle, weightsStyleOf } from './choose-backbone.js';
import { placeOf } from './find-backbones.js';
import { CLASSIFIER } from './names/resnet.js';
import { openWeights } from './open-weights.js';
import type { StateDict } from './state-dict.js';
import { requireWhole, takeModel } from './take-model.js';

export interface LoadedBackbone {
  /** The file that was read. */
  readonly path: string;
  readonly network: ResNetName;
  /** `msra` takes BGR and has the stride in the 1x1 convolutions. */
  readonly style: WeightsStyle;
  /** By torchvision's names, without classifier; lazy, filters OIHW. */
  readonly tensors: StateDict;
  /** What it is, for people. */
  readonly description: string;
}

export interface LoadBackboneOptions extends ChoiceOptions {
  /** Take a network of either style; by default one of `msra` is refused. */
  readonly anyStyle?: boolean;
}

/**
 * @param path a file of any toolkit, a folder of TensorFlow.js weights, or a run folder: then its `checkpoint_last.pth`
 * @throws UserError when there is no backbone, several, or one that is not whole
 */
export async function loadBackbone(
  path: string,
  options: LoadBackboneOptions = {},
  log: Log = SILENT,
): Promise<LoadedBackbone> {
  const opened = await openWeights(path, log);
  const file = opened.path;
  const choice = chooseBackbone(opened, options);
  if (options.anyStyle !== true) await requireTorchStyle(choice, file);
  const { groups, chosen, all } = choice;
  const { model, account } = takeModel(groups, chosen, all, { backboneOnly: true });
  // What else is in the file does not matter here, but every layer of the network has to come from it.
  requireWhole({ ...account, leftover: [] }, file);
  const tensors = new Map(model.backbone);
  for (const key of CLASSIFIER) tensors.delete(key);
  const description = `${chosen.network}, ${chosen.family}, ${placeOf(chosen) || 'no prefix'}`;
  const style = await weightsStyleOf(choice);
  return { path: file, network: chosen.network, style, tensors, description };
}
