import type { Argv, CommandModule } from 'yargs';
import type { DetectEvalReport } from '../../../recipes/detect/eval.js';
import { openConsole } from '../../log-flags.js';
import { printReport } from '../../output.js';
import { type DetectorArguments, readDetectorFlags, withDetector } from './detector-flags.js';

export const detectEvalCommand: CommandModule<object, DetectorArguments> = {
  command: 'eval',
  describe: "say what a detector is worth on annotated images: COCO's table",
  builder: (yargs) =>
    withDetector(yargs)
      .option('annotations', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'JSON file in the form of COCO',
      })
      .option('images', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'folder of its images',
      })
      .option('out', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'folder for coco_instances_results.json and results.json',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' })
      .example(
        '$0 detect eval --weights runs/one_machine_000 --annotations val.json --images PHOTOS --out evaluation',
        '',
      )
      .example(
        '$0 detect eval --weights model_final.pkl ...',
        'a detector of the zoo',
      ) as Argv<DetectorArguments>,
  handler: async (argv) => {
    const { detectEval } = await import('../../../recipes/detect/eval.js');
    const report = await detectEval({
      ...readDetectorFlags(argv),
      annotations: String(argv.annotations),
      images: String(argv.images),
      out: String(argv.out),
      log: openConsole(argv),
    });
    printReport(report, argv.json === true, text);
  },
};

function text({ evaluations, protocol, out }: DetectEvalReport): string {
  const tables = evaluations.map(({ type, table }) => `${type}\n${table}`);
  return [...tables, ...(protocol === undefined ? [] : [protocol]), `results: ${out}`].join('\n\n');
}
