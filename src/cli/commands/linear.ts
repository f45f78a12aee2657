import type { Argv, CommandModule } from 'yargs';
import { PRETRAIN } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import { quoteForShell } from '../../core/shell.js';
import { commandAgain } from '../command-line.js';
import { type Arguments, readConfig, withConfig } from '../config-flags.js';
import { openConsole } from '../log-flags.js';
import { fromHere, type NextStep, nextStepsText } from '../next-steps.js';
import { stopsAfterSaving } from '../stop-signals.js';

const SHOWN = [
  'dataset/root',
  'load_dir',
  'network/name',
  'augment/input_size',
  'eval/max_epochs',
  'eval/batch_size_train',
  'eval/optim/lr',
  'eval/finetune',
  'eval/num_workers',
  'save_dir',
  'seed',
  'engine/device',
];

export const linearCommand: CommandModule<object, Arguments> = {
  command: 'linear',
  describe: 'evaluate a backbone: train a linear classifier on its frozen features',
  builder: (yargs) =>
    withConfig(yargs, PRETRAIN, { shown: SHOWN })
      .option('weights', {
        type: 'string',
        requiresArg: true,
        describe:
          'file of weights of any toolkit, or `random`, the base line; or give --load_dir, the folder of a run',
      })
      .option('role', {
        choices: ['online', 'target'] as const,
        describe: 'which of two networks in the file: the trained one (default) or its moving average',
      })
      .option('fast', {
        type: 'boolean',
        default: false,
        describe: 'compute features of centre crops once; minutes, but not the protocol',
      })
      .option('fraction', {
        type: 'string',
        default: '1',
        requiresArg: true,
        describe: 'share of the labels of each class that may be used: 0.01, 0.1',
      })
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'start anew where there is an evaluation',
      })
      .example(
        '$0 linear --config scrl_200ep --load_dir runs/scrl_200ep_000 --dataset/root IMAGENET',
        "a run, by the reference's protocol",
      )
      .example(
        '$0 linear --config C --weights moco_v2_800ep.pth.tar --dataset/root DIR',
        "another toolkit's backbone",
      )
      .example('$0 linear --config C --weights r50.pth --dataset/root DIR --fast', 'a first impression')
      .example(
        '$0 linear --config C --weights r50.pth --eval/finetune true --fraction 0.01',
        'semi-supervised, 1 %',
      ) as Argv<Arguments>,
  handler: async (argv) => {
    const resolved = await readConfig(argv, PRETRAIN);
    const { load_dir: loadDir } = resolved.config;
    const weights = argv.weights as string | undefined;
    if ((weights === undefined) === (loadDir === null)) {
      throw new UserError('give either --weights FILE or --load_dir RUN: what is to be evaluated', {
        remedy: 'see: scrl linear --help',
      });
    }
    const { linear } = await import('../../recipes/linear/index.js');
    const source =
      weights === 'random'
        ? 'random'
        : {
            path: weights ?? String(loadDir),
            isRunFolder: weights === undefined,
            ...(argv.role !== undefined && { role: argv.role as 'online' | 'target' }),
          };
    const options = {
      resolved,
      source,
      fast: argv.fast === true,
      fraction: parseFraction(String(argv.fraction)),
      overwrite: argv.overwrite === true,
      log: openConsole(argv),
    } as const;
    await stopsAfterSaving(async (signal) => {
      const { interrupted, folder } = await linear({ ...options, signal });
      if (interrupted) options.log.info(`to resume: ${quoteForShell(again(argv, folder))}`);
      else if (source !== 'random') options.log.info(nextStepsText([baseLine(argv, folder)]));
      return interrupted;
    });
  },
};

/** What the same evaluation makes of weights that know nothing: without it the figures say little. */
function baseLine(argv: Arguments, folder: string): NextStep {
  const place = { load_dir: 'null', save_dir: `${fromHere(folder)}_random` };
  const [, ...words] = commandAgain(argv, {
    overwrite: undefined,
    role: undefined,
    weights: 'random',
    ...place,
  });
  return { purpose: 'the same with random weights', words };
}

/** The same evaluation in the same folder; that of a run is found by the run. */
function again(argv: Arguments, folder: string): string[] {
  const place = argv.weights === undefined ? {} : { save_dir: folder };
  return commandAgain(argv, { overwrite: undefined, ...place });
}

function parseFraction(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new UserError('must be above 0 and at most 1', { key: '--fraction', value: text });
}
