/** The networks of the detectors' golden runs, and their weights in the engine. */

import { variableValue } from '../../../src/checkpoint/module-state.js';
import { hostTensor } from '../../../src/core/array.js';
import type { DetectorNorm, DetectorOptions } from '../../../src/models/detection/networks.js';
import type { ModuleStore } from '../../../src/nn/module-store.js';
import { GOLDEN, goldenTensor } from './golden-inputs.js';

export type GoldenCase = 'faster_frozen' | 'mask_frozen' | 'mask_syncbn' | 'mask_4conv1fc';

/** What a network may have else than that of the golden runs. */
export type OtherNetwork = Partial<Pick<DetectorOptions, 'backbone' | 'weightsStyle'>>;

/** R50-FPN with a backbone of full width, pyramid and heads narrower than Detectron2's. */
export function goldenOptions(name: GoldenCase, other: OtherNetwork = {}): DetectorOptions {
  const isFrozen = name.endsWith('frozen');
  const norm: DetectorNorm = isFrozen ? 'none' : 'batch';
  const boxHead = name === 'mask_4conv1fc' ? '4conv1fc' : 'fc2';
  return {
    backbone: 'resnet50',
    weightsStyle: 'torch',
    freezeAt: isFrozen ? 2 : 0,
    norms: { backbone: isFrozen ? 'frozen' : 'batch', fpn: norm, boxHead: norm, maskHead: norm },
    boxHead,
    masks: name !== 'faster_frozen',
    classes: GOLDEN.classes,
    fpnChannels: GOLDEN.channels.fpn,
    fcDim: GOLDEN.channels.boxHead,
    convDim: GOLDEN.channels.maskHead,
    ...other,
  };
}

/** Fills a detector. */
export async function writeGoldenWeights(store: ModuleStore): Promise<void> {
  await store.runtime.writeAll(
    store.entries.map(({ key, shape, variable, layout }) =>
      variableValue(variable, layout, hostTensor('float32', shape, goldenTensor(key, shape))),
    ),
  );
}
