import type { Argv, CommandModule } from 'yargs';
import type { DataReport, Finding } from '../../recipes/data-check/index.js';
import type { Arguments } from '../config-flags.js';
import { openConsole, withLog } from '../log-flags.js';
import { printReport } from '../output.js';
import { NO_COMMAND } from '../parse-failure.js';

export const dataCommand: CommandModule<object, Arguments> = {
  command: 'data',
  describe: 'look at a data set',
  builder: (yargs) => yargs.command(checkCommand).demandCommand(1, NO_COMMAND) as Argv<Arguments>,
  handler: () => {},
};

const checkCommand: CommandModule<object, Arguments> = {
  command: 'check <data>',
  describe: 'say what is odd or wrong in a folder of images or in annotations, and what to train with',
  builder: (yargs) =>
    withLog(yargs)
      .positional('data', {
        type: 'string',
        demandOption: true,
        describe: 'folder of images, with or without class folders; or a JSON file in the form of COCO',
      })
      .option('images', {
        type: 'string',
        requiresArg: true,
        describe: 'for a JSON file: the folder of its images; default: the folder that it is in',
      })
      .option('masks', {
        type: 'boolean',
        default: false,
        describe: 'for a JSON file: every object needs a mask',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .example('$0 data check PHOTOS', 'before pretraining')
      .example('$0 data check train.json --images PHOTOS', 'before training a detector') as Argv<Arguments>,
  handler: async (argv) => {
    const { checkData } = await import('../../recipes/data-check/index.js');
    const report = await checkData({
      given: String(argv.data),
      images: argv.images as string | undefined,
      masks: argv.masks === true,
      log: openConsole(argv),
    });
    printReport(report, argv.json === true, text);
    if (report.findings.some(({ refused }) => refused)) process.exitCode = 2;
  },
};

function text({ where, facts, findings, advice }: DataReport): string {
  return [
    where,
    ...facts.map((line) => `  ${line}`),
    '',
    ...(findings.length === 0 ? ['nothing odd was found'] : findings.flatMap(findingLines)),
    '',
    'to train:',
    ...advice.map((line) => `  ${line}`),
  ].join('\n');
}

function findingLines({ kind, what, count, examples, advice }: Finding): string[] {
  const head = kind === 'odd' ? what : `${count} ${what}`;
  const more = count > examples.length && examples.length > 0 && kind !== 'faults' ? ['    ...'] : [];
  return [head, ...examples.map((example) => `    ${example}`), ...more, `  -> ${advice}`];
}
