import type { Argv, CommandModule } from 'yargs';
import { LAYERS, type Layer } from '../../core/architectures.js';
import { openConsole } from '../log-flags.js';
import { givesUp } from '../stop-signals.js';
import { EVALUATION_CROP, readWeightsFlags, type WeightsArguments, withWeights } from '../weights-flags.js';

export const featuresCommand: CommandModule<object, WeightsArguments> = {
  command: 'features <images> <out>',
  describe: 'write the features of images to a file for NumPy (.npz) or any toolkit (.safetensors)',
  builder: (yargs) =>
    withWeights(yargs, EVALUATION_CROP)
      .positional('images', {
        type: 'string',
        demandOption: true,
        describe: 'a folder with all its sub-folders, an image, or a JSON file in the form of COCO',
      })
      .positional('out', {
        type: 'string',
        demandOption: true,
        describe: '.npz or .safetensors, with `features`, `files`, `failed`, and `labels` of class folders',
      })
      .option('layer', {
        choices: LAYERS,
        default: 'pooled',
        describe: 'pooled: [N, C]; a stage: its maps [N, H, W, C] (NHWC), of stride 4, 8, 16, 32; float32',
      })
      .option('dataset/root', {
        type: 'string',
        requiresArg: true,
        describe: 'folder of the images of a JSON file',
      })
      .option('overwrite', { type: 'boolean', default: false, describe: 'replace an existing file' })
      .example('$0 features --weights r50.pth PHOTOS features.npz', 'a row for each image')
      .example(
        '$0 features --weights runs/scrl_000 --layer res4 --size 448 PHOTOS maps.safetensors',
        'maps of 28 x 28 cells',
      )
      .example(
        '$0 features --weights r50.pkl --dataset/root val2017 instances_val2017.json coco.npz',
        'the images of an annotation file',
      ) as unknown as Argv<WeightsArguments>,
  handler: async (argv) => {
    const options = readWeightsFlags(argv);
    const root = argv['dataset/root'];
    const { features } = await import('../../recipes/features.js');
    const all = {
      ...options,
      layer: argv.layer as Layer,
      input: String(argv.images),
      root: root === undefined ? undefined : String(root),
      output: String(argv.out),
      overwrite: argv.overwrite === true,
      log: openConsole(argv),
    };
    await givesUp(async (signal) => {
      await features({ ...all, signal });
    });
  },
};
