/** What a user of Detectron2 has to know beside the weights, with the lines to paste. */

import type { ConversionReport } from '../../recipes/convert/report.js';
import { DEVIATION, MEAN } from '../../views/normalization.js';

/** @returns undefined when the file is not a backbone for Detectron2 */
export function detectron2Notes({ network, output }: ConversionReport): string | undefined {
  if (network === undefined || network.detector !== undefined) return undefined;
  if (output?.names !== 'names of detectron2') return undefined;
  const inBytes = (values: readonly number[]) => values.map((value) => (255 * value).toFixed(3)).join(', ');
  const depth = Number(network.architecture.slice('resnet'.length));
  return [
    'for Detectron2 (images are RGB, scaled as in pretraining; the stride is in the 3x3 convolutions):',
    '',
    'MODEL:',
    `  WEIGHTS: ${JSON.stringify(output.path)}`,
    `  PIXEL_MEAN: [${inBytes(MEAN)}]`,
    `  PIXEL_STD: [${inBytes(DEVIATION)}]`,
    '  BACKBONE:',
    '    FREEZE_AT: 0',
    '  RESNETS:',
    `    DEPTH: ${depth}`,
    ...(depth < 50 ? ['    RES2_OUT_CHANNELS: 64'] : []),
    '    STRIDE_IN_1X1: False',
    '    NORM: "SyncBN"',
    '  FPN:',
    '    NORM: "SyncBN"',
    'INPUT:',
    '  FORMAT: "RGB"',
    '',
    'FREEZE_AT 2, the default, keeps stem and res2 as they are; 0 trains them too, as most comparisons of self-supervised',
    'backbones do. SyncBN goes on with the statistics in the file; the default, FrozenBN, keeps them, and then Detectron2',
    'lists num_batches_tracked as unused, which is harmless.',
  ].join('\n');
}
