import type { Argv, CommandModule } from 'yargs';
import { UserError } from '../../../core/errors.js';
import type { PredictReport } from '../../../recipes/detect/predict.js';
import { openConsole } from '../../log-flags.js';
import { print } from '../../output.js';
import { PARSER_SETTINGS } from '../../parser-settings.js';
import { type DetectorArguments, readDetectorFlags, withDetector } from './detector-flags.js';

export const detectPredictCommand: CommandModule<object, DetectorArguments> = {
  command: 'predict <images..>',
  describe: 'draw what a detector finds in pictures',
  builder: (yargs) => {
    // Without this yargs keeps the last image only.
    yargs.parserConfiguration({ ...PARSER_SETTINGS, 'duplicate-arguments-array': true });
    return withDetector(yargs)
      .positional('images', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'pictures, and folders of them',
      })
      .option('out', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'folder for the pictures and predictions.json, a data set in the form of COCO with scores',
      })
      .option('threshold', {
        type: 'string',
        requiresArg: true,
        default: '0.5',
        describe: 'detections of a lower score are left out',
      })
      .option('classes', {
        type: 'string',
        requiresArg: true,
        describe: 'names of the classes that are looked for, with commas; default: all',
      })
      .example('$0 detect predict --weights runs/one_machine_000 PHOTOS --out found', '')
      .example(
        '$0 detect predict --weights runs/one_machine_000 a.jpg --out found --threshold 0.3 --classes cat,dog',
        '',
      ) as Argv<DetectorArguments>;
  },
  handler: async (argv) => {
    const { predict } = await import('../../../recipes/detect/predict.js');
    const log = openConsole(argv);
    const report = await predict({
      ...readDetectorFlags(argv),
      images: (argv.images as unknown[]).map(String),
      out: String(argv.out),
      threshold: share('--threshold', String(argv.threshold)),
      ...(argv.classes !== undefined && { classes: String(argv.classes).split(',') }),
      log,
    });
    print(text(report));
  },
};

function share(key: string, given: string): number {
  const value = Number(given);
  if (/^[\d.]/.test(given) && value >= 0 && value <= 1) return value;
  throw new UserError('must be a number from 0 to 1', { key, value: given });
}

/** A line for each picture: how many of what. */
function text({ predictions, classes, json }: PredictReport): string {
  const lines = predictions.map(({ picture, detections }) => {
    const counts = new Map<string, number>();
    for (const label of detections.classes) counts.set(classes[label], (counts.get(classes[label]) ?? 0) + 1);
    const found = [...counts].map(([name, count]) => `${count} ${name}`).join(', ');
    return `${picture}: ${found || 'nothing'}`;
  });
  return [...lines, json].join('\n');
}
