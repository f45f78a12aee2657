import type { Argv, CommandModule } from 'yargs';
import { formatDuration } from '../../core/clock.js';
import type { ListedRun } from '../../recipes/report/list-runs.js';
import { formatTable } from '../../report/table.js';
import type { Arguments } from '../config-flags.js';
import { print, printReport } from '../output.js';
import { PARSER_SETTINGS } from '../parser-settings.js';

export const reportCommand: CommandModule<object, Arguments> = {
  command: 'report <runs..>',
  describe: 'write a page about a run, or about several compared: curves, what they say in words, settings',
  builder: (yargs) =>
    yargs
      // Without this yargs keeps the last run only.
      .parserConfiguration({ ...PARSER_SETTINGS, 'duplicate-arguments-array': true })
      .positional('runs', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'run folders of one kind',
      })
      .option('out', {
        type: 'string',
        requiresArg: true,
        describe: 'HTML file to write; default: report.html in the first run',
      })
      .example('$0 report runs/one_machine_000', 'one run')
      .example('$0 report runs/scrl_* --out compared.html', 'several') as Argv<Arguments>,
  handler: async (argv) => {
    const { report } = await import('../../recipes/report/index.js');
    print(await report({ runs: (argv.runs as unknown[]).map(String), out: argv.out as string | undefined }));
  },
};

export const runsCommand: CommandModule<object, Arguments> = {
  command: 'runs [folder]',
  describe: 'list runs, newest first: what, how far, how good',
  builder: (yargs) =>
    yargs
      .positional('folder', {
        type: 'string',
        default: 'runs',
        describe: 'folder that holds the run folders',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .example('$0 runs', 'those of this folder') as Argv<Arguments>,
  handler: async (argv) => {
    const { listRuns } = await import('../../recipes/report/list-runs.js');
    printReport(await listRuns(String(argv.folder)), argv.json === true, runsText);
  },
};

function runsText(runs: readonly ListedRun[]): string {
  const rows = runs.map(({ folder, kind, recipe, state, steps, best, age }) => [
    folder,
    kind,
    recipe,
    state,
    steps,
    best === undefined ? '-' : `${best.name} ${best.value.toFixed(1)} %`,
    `${formatDuration(age)} ago`,
  ]);
  return formatTable(['run', 'kind', 'recipe', 'state', 'steps', 'best', 'changed'], rows);
}
