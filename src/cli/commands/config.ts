import type { Argv, CommandModule } from 'yargs';
import { renderConfig } from '../../config/print.js';
import { PRETRAIN } from '../../config/schemas/pretrain.js';
import { type Arguments, readConfig, withConfig } from '../config-flags.js';

export const configCommand: CommandModule<object, Arguments> = {
  command: 'config <action>',
  describe: 'show: print every resolved value and where it came from',
  builder: (yargs) =>
    withConfig(yargs.positional('action', { choices: ['show'] as const, describe: 'what to do' }), PRETRAIN, {
      shown: [],
    }).example(
      '$0 config show --config scrl_200ep --train/optim/lr 0.3',
      'what a run would use',
    ) as unknown as Argv<Arguments>,
  handler: async (argv) => {
    process.stdout.write(renderConfig(await readConfig(argv, PRETRAIN)));
  },
};
