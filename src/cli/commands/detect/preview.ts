import type { Argv, CommandModule } from 'yargs';
import { DETECT } from '../../../config/schemas/detect.js';
import { type Arguments, readConfig, withConfig } from '../../config-flags.js';
import { openConsole } from '../../log-flags.js';
import { wholeNumber } from '../../numbers.js';

const SHOWN = [
  'dataset/train/images',
  'dataset/train/annotations',
  'model/masks',
  'input/min_size_train',
  'input/max_size_train',
  'input/flip',
  'train/batch_size',
  'seed',
];

const MOST_IMAGES = 64;

export const detectPreviewCommand: CommandModule<object, Arguments> = {
  command: 'preview',
  describe:
    'write a picture of what the detector is trained on: images after augmentation, boxes, masks, names',
  builder: (yargs) =>
    withConfig(yargs, DETECT, { shown: SHOWN })
      .option('out', {
        type: 'string',
        default: 'preview.png',
        describe: 'PNG file to write',
        requiresArg: true,
      })
      .option('count', { type: 'string', default: '6', describe: 'number of images', requiresArg: true })
      .option('step', {
        type: 'string',
        default: '0',
        describe: 'first training step whose images are shown',
        requiresArg: true,
      })
      .example(
        '$0 detect preview --config one_machine --dataset/train/images DIR --dataset/train/annotations JSON',
        'writes preview.png',
      ) as Argv<Arguments>,
  handler: async (argv) => {
    const { config } = await readConfig(argv, DETECT);
    const count = wholeNumber('--count', String(argv.count), MOST_IMAGES);
    const step = wholeNumber('--step', String(argv.step), Number.MAX_SAFE_INTEGER, 0);
    const { detectPreview } = await import('../../../recipes/detect/preview.js');
    await detectPreview({ config, count, step, out: String(argv.out), log: openConsole(argv) });
  },
};
