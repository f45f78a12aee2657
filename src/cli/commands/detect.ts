import type { Argv, CommandModule } from 'yargs';
import type { Arguments } from '../config-flags.js';
import { NO_COMMAND } from '../parse-failure.js';
import { detectEvalCommand } from './detect/eval.js';
import { detectPredictCommand } from './detect/predict.js';
import { detectPreviewCommand } from './detect/preview.js';
import { detectTrainCommand } from './detect/train.js';

export const detectCommand: CommandModule<object, Arguments> = {
  command: 'detect',
  describe: 'detectors: Faster and Mask R-CNN with FPN, from any backbone',
  builder: (yargs) =>
    yargs
      .command(detectPreviewCommand)
      .command(detectTrainCommand)
      .command(detectEvalCommand)
      .command(detectPredictCommand)
      .demandCommand(1, NO_COMMAND) as unknown as Argv<Arguments>,
  handler: () => {},
};
