import type { Argv, CommandModule } from 'yargs';
import { findRecipe } from '../../../config/find-recipe.js';
import { DETECT } from '../../../config/schemas/detect.js';
import { quoteForShell } from '../../../core/shell.js';
import { type Arguments, withConfig } from '../../config-flags.js';
import { openConsole } from '../../log-flags.js';
import { afterDetectorTraining, nextStepsText } from '../../next-steps.js';
import { startedOrResumed } from '../../resume.js';
import { stopsAfterSaving } from '../../stop-signals.js';

const SHOWN = [
  'dataset/train/images',
  'dataset/train/annotations',
  'dataset/val/images',
  'dataset/val/annotations',
  'model/backbone',
  'model/masks',
  'protocol',
  'input/min_size_train',
  'train/batch_size',
  'train/max_steps',
  'train/lr',
  'train/eval_steps',
  'save_dir',
  'seed',
  'engine/device',
];

export const detectTrainCommand: CommandModule<object, Arguments> = {
  command: 'train',
  describe: 'fine-tune Faster or Mask R-CNN from a backbone, on annotations in the form of COCO',
  builder: (yargs) =>
    withConfig(yargs, DETECT, { shown: SHOWN, required: false })
      .option('resume', {
        type: 'string',
        describe: 'go on with a run, as it was; without a folder the newest unfinished one',
      })
      .option('weights', {
        type: 'string',
        requiresArg: true,
        describe: 'backbone to start from: a run folder, or a file of any toolkit',
      })
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'use the latest run folder again and ignore its checkpoints',
      })
      .example(
        [
          '$0 detect train --config one_machine --weights runs/one_machine_000 \\',
          '  --dataset/train/images PHOTOS --dataset/train/annotations train.json \\',
          '  --dataset/val/images PHOTOS --dataset/val/annotations val.json',
        ].join('\n'),
        '',
      )
      .example(
        '$0 detect train --config mask_rcnn_R_50_FPN_1x --weights resnet50.pth ...',
        "COCO's 1x schedule",
      )
      .example('$0 detect train --resume runs/one_machine_000', 'go on with that run') as Argv<Arguments>,
  handler: async (argv) => {
    const { resolved, changed } = await startedOrResumed(argv, DETECT, detectors);
    const log = openConsole(argv);
    const configFile =
      argv.config === undefined ? undefined : findRecipe(String(argv.config), { recipes: DETECT.recipes });
    const { weights } = argv as { weights?: string };
    const { detectTrain } = await import('../../../recipes/detect/index.js');
    await stopsAfterSaving(async (signal) => {
      const overwrite = argv.overwrite === true;
      const { folder, best, interrupted } = await detectTrain({
        resolved,
        configFile,
        weights,
        overwrite,
        keepConfig: !changed,
        signal,
        log,
      });
      if (interrupted) {
        log.info(`to resume: ${quoteForShell(['scrl', 'detect', 'train', '--resume', folder])}`);
        return true;
      }
      if (best !== undefined) log.info(`best AP ${best.score.toFixed(2)} after ${best.step} steps`);
      const { train, val } = resolved.config.dataset;
      const judged = val.annotations === null ? { images: train.images } : val;
      log.info(
        nextStepsText(
          afterDetectorTraining({
            folder,
            images: String(judged.images),
            annotations: val.annotations ?? undefined,
          }),
        ),
      );
      return false;
    });
  },
};

async function detectors() {
  return (await import('../../../recipes/detect/state.js')).DETECTORS;
}
