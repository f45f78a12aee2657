import type { Argv, CommandModule } from 'yargs';
import { findRecipe } from '../../config/find-recipe.js';
import { PRETRAIN, type PretrainConfig } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import { quoteForShell } from '../../core/shell.js';
import type { PretrainOptions, PretrainSummary } from '../../recipes/pretrain/index.js';
import { commandAgain } from '../command-line.js';
import { type Arguments, withConfig } from '../config-flags.js';
import { openConsole } from '../log-flags.js';
import { afterPretraining, type NextStep, nextStepsText } from '../next-steps.js';
import { startedOrResumed } from '../resume.js';
import { stopsAfterSaving } from '../stop-signals.js';

const SHOWN = [
  'dataset/root',
  'dataset/annotations',
  'network/name',
  'network/scrl/enabled',
  'augment/input_size',
  'train/max_epochs',
  'train/batch_size_train',
  'train/optim/lr',
  'train/num_workers',
  'eval/enabled',
  'save_dir',
  'seed',
  'engine/device',
];

export const pretrainCommand: CommandModule<object, Arguments> = {
  command: 'pretrain',
  describe: 'pretrain a backbone on images without labels',
  builder: (yargs) =>
    withConfig(yargs, PRETRAIN, { shown: SHOWN, required: false })
      .option('resume', {
        type: 'string',
        describe: 'go on with a run, as it was; without a folder the newest unfinished one',
      })
      .option('restart-epoch', {
        type: 'boolean',
        default: false,
        describe: 'begin an epoch again whose rest cannot be the same, with other images for instance',
      })
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
      .example('$0 pretrain --resume runs/my_000', 'go on with that run')
      .example('$0 pretrain --config my.yaml --weights resnet50.pth', 'start from supervised weights')
      .example(
        '$0 pretrain --config my.yaml --train/enabled=False --load_dir runs/my_000',
        'evaluate only, as the reference spells it; see scrl linear',
      ) as Argv<Arguments>,
  handler: async (argv) => {
    const { resolved, changed } = await startedOrResumed(argv, PRETRAIN, pretraining);
    const log = openConsole(argv);
    const configFile = argv.config === undefined ? undefined : findRecipe(String(argv.config));
    if (argv['dry-run'] === true) {
      const { dryRun } = await import('../../recipes/pretrain/dry-run.js');
      await dryRun({ resolved, log });
      return;
    }
    const { weights } = argv as { weights?: string };
    const options = {
      ...{ resolved, configFile, weights, log },
      overwrite: argv.overwrite === true,
      restartEpoch: argv['restart-epoch'] === true,
      keepConfig: !changed,
    };
    await stopsAfterSaving(async (signal) => {
      const { again, next } = await run({ ...options, signal }, argv);
      if (again !== undefined) log.info(`to resume: ${quoteForShell(again)}`);
      else if (next.length > 0) log.info(nextStepsText(next));
      return again !== undefined;
    });
  },
};

async function pretraining() {
  return (await import('../../recipes/pretrain/continuity.js')).PRETRAINING;
}

interface Ended {
  /** The command that resumes what was asked to stop before its end. */
  readonly again?: string[] | undefined;
  readonly next: readonly NextStep[];
}

/** Pretraining, linear evaluation, or both. */
async function run(options: Required<PretrainOptions>, argv: Arguments): Promise<Ended> {
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
    const { interrupted } = await linear({
      ...{ resolved, source, overwrite, signal, log },
      fast: false,
      fraction: 1,
    });
    return { next: [], ...(interrupted && { again: commandAgain(argv, { overwrite: undefined }) }) };
  }
  const { pretrain } = await import('../../recipes/pretrain/index.js');
  const summary = await pretrain(options);
  const { interrupted, folder } = summary;
  const stopped =
    interrupted || (evaluation.enabled && (await evaluateRun(resolved, folder, { signal, log })));
  if (stopped) return { again: ['scrl', 'pretrain', '--resume', folder], next: [] };
  return { next: await whatNext(resolved.config, summary) };
}

async function whatNext(
  { dataset, network, eval: evaluation }: PretrainConfig,
  { folder, image, classes }: PretrainSummary,
): Promise<NextStep[]> {
  const { whyNotEvaluable } = await import('../../recipes/linear/data.js');
  const root = String(dataset.root);
  const canBeEvaluated = !evaluation.enabled && (await whyNotEvaluable(root, classes)) === undefined;
  const labelled = classes && root;
  return afterPretraining({ folder, network: network.name, image, labelled, canBeEvaluated });
}
