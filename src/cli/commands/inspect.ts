import type { Argv, CommandModule } from 'yargs';
import { openConsole, withLog } from '../log-flags.js';
import { printReport } from '../output.js';
import { comparisonText } from '../text/comparison.js';
import { inspectionText } from '../text/inspection.js';

interface Arguments {
  file: string;
  other: string | undefined;
  filter: string | undefined;
  json: boolean;
}

export const inspectCommand: CommandModule<object, Arguments> = {
  command: 'inspect <file> [other]',
  describe: 'say what is in a file of weights, or in what two differ',
  builder: (yargs) =>
    withLog(yargs)
      .positional('file', { type: 'string', demandOption: true, describe: 'file of weights of any toolkit' })
      .positional('other', { type: 'string', describe: 'a second one, to compare' })
      .option('filter', {
        type: 'string',
        requiresArg: true,
        describe: 'only tensors of this name; * stands for any text',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .example('$0 inspect checkpoint_last.pth', 'networks, tensors, ranges')
      .example("$0 inspect r50.pkl --filter 'res5.*'", 'the last stage only')
      .example('$0 inspect before.pth after.pkl', 'what differs, across toolkits') as Argv<Arguments>,
  handler: async (argv) => {
    const log = openConsole(argv);
    const { file, other, filter, json } = argv;
    if (other === undefined) {
      const { inspect } = await import('../../recipes/inspect/index.js');
      printReport(await inspect(file, { filter, log }), json, inspectionText);
      return;
    }
    const { compareWeights } = await import('../../recipes/inspect/compare.js');
    printReport(await compareWeights(file, other, log), json, comparisonText);
  },
};
