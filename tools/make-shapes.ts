/** Makes a COCO-format data set of rendered shapes; see `--help`. */

import { parseArgs } from 'node:util';
import { errorMessage, UserError } from '../src/core/errors.js';
import { Console } from '../src/report/console.js';
import { Progress } from '../src/report/progress.js';
import { runTool } from './run-tool.js';
import { makeShapes } from './shapes/write.js';

const HELP = `Makes a data set of rendered shapes: images, boxes, polygon masks and crowds in COCO's format.

  node dist/tools/make-shapes.js OUT [options]

  --train N             training images (400)
  --val N               validation images (100)
  --seed N              another seed, another data set (0)
  --size PIXELS         longer side of an image (256)
  --class-folders DIR   also cut the objects into DIR/{train,val}/CATEGORY/
  --overwrite           replace what is in OUT

Examples
  node dist/tools/make-shapes.js data/shapes
  node dist/tools/make-shapes.js data/shapes --train 2000 --val 400 --size 384 --class-folders data/shape-crops
`;

async function main(): Promise<void> {
  const { values, positionals } = parse();
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (positionals.length !== 1) throw new UserError('give one folder to create', { remedy: 'see --help' });
  const [train, val, seed, size] = (['train', 'val', 'seed', 'size'] as const).map((name) =>
    wholeNumber(name, values[name], name === 'size' ? 64 : 0),
  );
  const log = new Console(process.stderr);
  const progress = new Progress(log, { label: 'rendering', total: train + val, unit: 'images' });
  const made = await makeShapes({
    out: positionals[0],
    train,
    val,
    seed,
    size,
    overwrite: values.overwrite,
    ...(values['class-folders'] !== undefined && { classFolders: values['class-folders'] }),
    onProgress: (done) => progress.update(done),
  });
  progress.finish();
  log.info(`${made.train} + ${made.val} images with ${made.objects} annotated objects in ${positionals[0]}`);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        train: { type: 'string', default: '400' },
        val: { type: 'string', default: '100' },
        seed: { type: 'string', default: '0' },
        size: { type: 'string', default: '256' },
        'class-folders': { type: 'string' },
        overwrite: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new UserError(errorMessage(error), { remedy: 'see --help', cause: error });
  }
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new UserError(`must be a whole number from ${least} on`, { key: `--${name}`, value: text });
}

await runTool(main);
