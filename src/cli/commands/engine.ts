import type { Argv, CommandModule } from 'yargs';
import type { EngineInfo } from '../../recipes/engine.js';
import { Console } from '../../report/console.js';
import { formatTable } from '../../report/table.js';
import type { Arguments } from '../config-flags.js';
import { print } from '../output.js';

export const engineCommand: CommandModule<object, Arguments> = {
  command: 'engine <action>',
  describe: 'the TensorFlow runtime: install it, or say what there is',
  builder: (yargs) =>
    yargs
      .positional('action', { choices: ['install', 'info'] as const, describe: 'what to do' })
      .option('cuda', { type: 'boolean', default: false, describe: 'install the runtime for NVIDIA GPUs' })
      .option('from', {
        type: 'string',
        describe: 'a wheel, an archive, or a folder that holds the library, instead of a download',
        requiresArg: true,
      })
      .example('$0 engine install', 'download the CPU runtime')
      .example('$0 engine install --from tensorflow_cpu.whl', 'install without network')
      .example('$0 engine info', 'library, version, devices, threads') as unknown as Argv<Arguments>,
  handler: async (argv) => {
    const log = new Console(process.stderr);
    const { engineInfo, installRuntime } = await import('../../recipes/engine.js');
    if (argv.action === 'info') {
      print(engineText(await engineInfo()));
      return;
    }
    const from = argv.from === undefined ? {} : { from: String(argv.from) };
    await installRuntime({ cuda: argv.cuda === true, ...from, log });
  },
};

function engineText(info: EngineInfo | undefined): string {
  if (info === undefined) return 'no runtime is installed; install one with: scrl engine install';
  const rows = [
    ['TensorFlow', info.version],
    ['variant', info.variant],
    ['source', info.source],
    ['folder', info.folder],
    ...info.devices.map(({ name, type }) => [`device (${type})`, name]),
    ['computes on', info.device],
    ['threads', String(info.threads)],
  ];
  return formatTable(['runtime', ''], rows);
}
