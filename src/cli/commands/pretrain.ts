import type { Argv, CommandModule } from 'yargs';
import { findRecipe } from '../../config/find-recipe.js';
import { PRETRAIN } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import type { PretrainOptions } from '../../recipes/pretrain/index.js';
import { type Arguments, readConfig, withConfig } from '../config-flags.js';
import { openConsole } from '../log-flags.js';
import { stopsAfterSaving } from '../stop-signals.js';

export const pretrainCommand: CommandModule<object, Arguments> = {
  command: 'pretrain',
  describe: 'pretrain a backbone on images without labels',
  builder: (yargs) =>
    withConfig(yargs, PRETRAIN)
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'use the latest run folder again and ignore its checkpoints',
      })
      .option('weights', {
        type: 'string',
        requiresArg: true,
        describe: 'backbone to start from, of any toolkit; default: random weights',
      })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'check everything, run one step, save and re-read a checkpoint, and estimate the time',
      })
      .example('$0 pretrain --config scrl_200ep --dataset/root PHOTOS', 'a folder of images')
      .example('$0 pretrain --config one_machine --dataset/root PHOTOS --dry-run', 'how long will it take?')
      .example('$0 pretrain --config my.yaml --save_dir runs/my_000', 'resume that run')
      .example('$0 pretrain --config my.yaml --weights resnet50.pth', 'start from supervised weights')
      .example(
        '$0 pretrain --config my.yaml --train/enabled=False --load_dir runs/my_000',
        'evaluate only, as the reference spells it; see scrl linear',
      ) as Argv<Arguments>,
  handler: async (argv) => {
    const resolved = await readConfig(argv, PRETRAIN);
    const log = openConsole(argv);
    const configFile = findRecipe(String(argv.config));
    if (argv['dry-run'] === true) {
      const { dryRun } = await import('../../recipes/pretrain/dry-run.js');
      await dryRun({ resolved, log });
      return;
    }
    const { weights } = argv as { weights?: string };
    const options = { resolved, configFile, overwrite: argv.overwrite === true, weights, log };
    await stopsAfterSaving((signal) => run({ ...options, signal }));
  },
};

/** Pretraining, linear evaluation, or both. @returns whether it was asked to stop before its end */
async function run(options: Required<PretrainOptions>): Promise<boolean> {
  const { resolved, overwrite, signal, log } = options;
  const { train, eval: evaluation, load_dir: loadDir } = resolved.config;
  const { evaluateRun, linear } = await import('../../recipes/linear/index.js');
  if (!train.enabled) {
    if (loadDir === null || !evaluation.enabled) {
      throw new UserError('without pretraining there has to be something to evaluate', {
        key: loadDir === null ? 'load_dir' : 'eval/enabled',
        remedy: 'add --load_dir RUN, with eval/enabled true; or use `scrl linear --weights FILE`',
      });
    }
    const source = { path: loadDir, isRunFolder: true };
    return (await linear({ resolved, source, fast: false, fraction: 1, overwrite, signal, log })).interrupted;
  }
  const { pretrain } = await import('../../recipes/pretrain/index.js');
  const { interrupted, folder } = await pretrain(options);
  if (interrupted || !evaluation.enabled) return interrupted;
  return evaluateRun(resolved, folder, { signal, log });
}
