import type { Argv, CommandModule } from 'yargs';
import { RESULTS } from '../../config/schemas/results.js';
import { formatDuration } from '../../core/clock.js';
import type { PlannedCell } from '../../recipes/reproduce/index.js';
import { formatTable } from '../../report/table.js';
import { type Arguments, readConfig, withConfig } from '../config-flags.js';
import { openConsole } from '../log-flags.js';
import { print } from '../output.js';
import { stopsAfterSaving } from '../stop-signals.js';

const SHOWN = [
  'data/pretrain',
  'data/classes',
  'data/train/images',
  'data/train/annotations',
  'data/val/images',
  'data/val/annotations',
  'rows',
  'columns',
  'seeds',
  'out',
  'engine/device',
];

export const reproduceCommand: CommandModule<object, Arguments> = {
  command: 'reproduce',
  describe:
    "the paper's table from your data and a budget: pretraining, linear evaluation and detectors, row by row",
  builder: (yargs) =>
    withConfig(yargs, RESULTS, { shown: SHOWN })
      .alias('config', 'plan')
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'list the cells, which of them are done, and how long the others take',
      })
      .example(
        [
          '$0 reproduce --plan hour --data/pretrain CROPS/train --data/classes CROPS \\',
          '  --data/train/images DIR --data/train/annotations JSON \\',
          '  --data/val/images DIR --data/val/annotations JSON',
        ].join('\n'),
        '',
      )
      .example('$0 reproduce --plan night ... --seeds 0,1,2,3,4 --dry-run', 'how long five seeds take')
      .example(
        '$0 reproduce --plan hour ... --rows random,scrl,mine=backbone.pth',
        'with a file of your own',
      ) as Argv<Arguments>,
  handler: async (argv) => {
    const resolved = await readConfig(argv, RESULTS);
    const log = openConsole(argv);
    const { reproduce, dryReproduce } = await import('../../recipes/reproduce/index.js');
    if (argv['dry-run'] === true) {
      print(planText(await dryReproduce({ resolved, log })));
      return;
    }
    await stopsAfterSaving(async (signal) => {
      const { text, failed, folder, interrupted } = await reproduce({ resolved, signal, log });
      if (interrupted) {
        log.info('to go on: the same command');
        return true;
      }
      print(text);
      log.info(`the table: ${folder}/results.html, .md, .json, .csv`);
      if (failed.length > 0) process.exitCode = 1;
      return false;
    });
  },
};

function planText(cells: readonly PlannedCell[]): string {
  const rows = cells.map(({ id, state, seconds }) => [
    id,
    state,
    state === 'done' ? '' : formatDuration(seconds),
  ]);
  const left = cells.reduce((sum, { seconds }) => sum + seconds, 0);
  return `${formatTable(['cell', 'state', 'about'], rows)}\n\nabout ${formatDuration(left)} in all, from a few timed steps`;
}
