import type { Argv, CommandModule } from 'yargs';
import { PRETRAIN } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import { type Arguments, readConfig, withConfig } from '../config-flags.js';
import { openConsole } from '../log-flags.js';

const SHOWN = [
  'dataset/root',
  'dataset/annotations',
  'augment/type',
  'augment/input_size',
  'augment/crop_scale',
  'augment/blur',
  'network/scrl/enabled',
  'network/scrl/num_patches_per_image',
  'network/scrl/iou_threshold',
  'network/scrl/min_size',
  'seed',
];

export const previewCommand: CommandModule<object, Arguments> = {
  command: 'preview',
  describe: 'write a picture of what the method sees: both views of some images, with their matched boxes',
  builder: (yargs) =>
    withConfig(yargs, PRETRAIN, { shown: SHOWN })
      .option('out', {
        type: 'string',
        default: 'preview.png',
        describe: 'PNG file to write',
        requiresArg: true,
      })
      .option('count', { type: 'string', default: '6', describe: 'number of images', requiresArg: true })
      .example(
        '$0 preview --config scrl_200ep --dataset/root PHOTOS',
        'writes preview.png',
      ) as Argv<Arguments>,
  handler: async (argv) => {
    const resolved = await readConfig(argv, PRETRAIN);
    const count = Number(argv.count);
    if (!Number.isInteger(count) || count < 1 || count > 64) {
      throw new UserError('must be a number of images from 1 to 64', { key: '--count', value: argv.count });
    }
    const { preview } = await import('../../recipes/pretrain/preview.js');
    await preview({ resolved, count, out: String(argv.out), log: openConsole(argv) });
  },
};
