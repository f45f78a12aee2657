import type { Argv, CommandModule } from 'yargs';
import { type Arguments, openConsole, readConfig, withConfig } from '../config-flags.js';
import { declareFlags } from '../unknown-flags.js';

export const pretrainCommand: CommandModule<object, Arguments> = {
  command: 'pretrain',
  describe: 'pretrain a backbone on images without labels',
  builder: (yargs) => {
    declareFlags(['overwrite', 'dry-run']);
    return withConfig(yargs)
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'use the latest run folder again and ignore its checkpoints',
      })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'check everything, run one step, save and re-read a checkpoint, and estimate the time',
      })
      .example('$0 pretrain --config configs/scrl_200ep.yaml --dataset/root PHOTOS', 'a folder of images')
      .example(
        '$0 pretrain --config configs/one_machine.yaml --dataset/root PHOTOS --dry-run',
        'how long will it take?',
      )
      .example('$0 pretrain --config my.yaml --save_dir runs/my_000', 'resume that run') as Argv<Arguments>;
  },
  handler: async (argv) => {
    const resolved = await readConfig(argv);
    const log = openConsole(argv);
    const configFile = String(argv.config);
    if (argv['dry-run'] === true) {
      const { dryRun } = await import('../../recipes/dry-run.js');
      await dryRun({ resolved, log });
      return;
    }
    const { pretrain } = await import('../../recipes/pretrain.js');
    const { interrupted } = await pretrain({ resolved, configFile, overwrite: argv.overwrite === true, log });
    if (interrupted !== undefined) {
      const { exitCode } = await import('../../train/interrupt.js');
      process.exitCode = exitCode(interrupted);
    }
  },
};
