import type { Argv, CommandModule } from 'yargs';
import { FLOATS } from '../../checkpoint/convert-values.js';
import { TARGETS } from '../../recipes/convert/target.js';
import { openConsole, withLog } from '../log-flags.js';
import { print, printReport } from '../output.js';
import { givesUp } from '../stop-signals.js';
import { conversionText } from '../text/conversion.js';
import { detectron2Notes } from '../text/detectron2-notes.js';

interface Arguments {
  in: string;
  out: string;
  to: (typeof TARGETS)[number] | undefined;
  network: 'online' | 'target' | undefined;
  prefix: string | undefined;
  dtype: (typeof FLOATS)[number] | undefined;
  backbone: boolean;
  'keep-names': boolean;
  drop: string;
  allow: string;
  'dry-run': boolean;
  overwrite: boolean;
  json: boolean;
}

export const convertCommand: CommandModule<object, Arguments> = {
  command: 'convert <in> <out>',
  describe:
    'turn a checkpoint of any toolkit into another: PyTorch, Detectron2, safetensors, TensorFlow.js, ONNX',
  builder: (yargs) =>
    withLog(yargs)
      .positional('in', {
        type: 'string',
        demandOption: true,
        describe: 'file of weights; what it is, is found out',
      })
      .positional('out', {
        type: 'string',
        demandOption: true,
        describe: '.pth, .pkl, .safetensors, .npz, .onnx; without suffix a folder for TensorFlow.js',
      })
      .option('to', { choices: TARGETS, describe: 'whose names and structure; default: from the suffix' })
      .option('network', {
        choices: ['online', 'target'] as const,
        describe: 'which of two networks: the trained one (default) or its moving average',
      })
      .option('prefix', {
        type: 'string',
        requiresArg: true,
        describe: 'where the network is, as `scrl inspect` spells it',
      })
      .option('dtype', { choices: FLOATS, describe: 'convert weights to this type' })
      .option('backbone', { type: 'boolean', default: false, describe: 'only the backbone of a detector' })
      .option('keep-names', {
        type: 'boolean',
        default: false,
        describe: 'change the kind of file only: all tensors, names as they are',
      })
      .option('drop', {
        type: 'string',
        default: '',
        requiresArg: true,
        describe: 'tensors to leave behind, separated by commas; * stands for any text',
      })
      .option('allow', {
        type: 'string',
        default: '',
        requiresArg: true,
        describe: 'tensors that may be missing, left over, misshapen or not finite',
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'say what would be done' })
      .option('overwrite', { type: 'boolean', default: false, describe: 'replace an existing file' })
      .option('json', { type: 'boolean', default: false, describe: 'print the report as JSON' })
      .example('$0 convert runs/scrl_000/checkpoint_last.pth r50.pkl', 'a backbone for Detectron2')
      .example(
        '$0 convert moco_v2_800ep_pretrain.pth.tar r50.safetensors',
        "any toolkit's, to torchvision's names",
      )
      .example(
        '$0 convert checkpoint_200.pth r50.pth --network target',
        'the moving average, for torchvision',
      )
      .example('$0 convert r50.pth r50.onnx', 'for ONNX runtimes') as Argv<Arguments>,
  handler: async (argv) => {
    const { convert } = await import('../../recipes/convert/index.js');
    const options = {
      input: argv.in,
      output: argv.out,
      to: argv.to,
      network: argv.network,
      prefix: argv.prefix,
      dtype: argv.dtype,
      keepNames: argv['keep-names'],
      backboneOnly: argv.backbone,
      drop: namesOf(argv.drop),
      allow: namesOf(argv.allow),
      dryRun: argv['dry-run'],
      overwrite: argv.overwrite,
      log: openConsole(argv),
    };
    await givesUp(async (signal) => {
      const report = await convert({ ...options, signal });
      printReport(report, argv.json, conversionText);
      const notes = detectron2Notes(report);
      if (notes !== undefined && !argv.json) print(`\n${notes}`);
    });
  },
};

function namesOf(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}
