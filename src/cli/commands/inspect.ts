import type { Argv, CommandModule } from 'yargs';
import { openConsole, withLog } from '../log-flags.js';
import { declareFlags } from '../unknown-flags.js';

interface Arguments {
  file: string;
  other: string | undefined;
  filter: string | undefined;
  json: boolean;
}

export const inspectCommand: CommandModule<object, Arguments> = {
  command: 'inspect <file> [other]',
  describe: 'say what is in a file of weights, or in what two differ',
  builder: (yargs) => {
    declareFlags(['file', 'other', 'filter', 'json']);
    return withLog(yargs)
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
      .example('$0 inspect before.pth after.pkl', 'what differs, across toolkits') as Argv<Arguments>;
  },
  handler: async (argv) => {
    const { inspect } = await import('../../recipes/inspect/index.js');
    await inspect({
      file: argv.file,
      other: argv.other,
      filter: argv.filter,
      json: argv.json,
      log: openConsole(argv),
      print: (text) => void process.stdout.write(`${text}\n`),
    });
  },
};
