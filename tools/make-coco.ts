/** Makes annotation and result files of any size, without images; see `--help`. */

import { parseArgs } from 'node:util';
import { errorMessage, UserError } from '../src/core/errors.js';
import { Console } from '../src/report/console.js';
import { Progress } from '../src/report/progress.js';
import { writeCoco } from './coco/write.js';
import { runTool } from './run-tool.js';

const HELP = `Makes COCO files of random objects and detections of them: something large to load and to evaluate.

  node dist/tools/make-coco.js OUT [options]       writes OUT/instances.json, OUT/bbox.json, OUT/segm.json

  --images N        images (5000)
  --objects N       annotated objects (34000)
  --detections N    results in bbox.json, and again in segm.json (500000); 0 = none of the two files
  --seed N          other numbers (0)

Examples
  node dist/tools/make-coco.js data/val                                                       as large as COCO's val2017
  node dist/tools/make-coco.js data/train --images 118287 --objects 860001 --detections 0     train2017: about 450 MB
`;

async function main(): Promise<void> {
  const { values, positionals } = parse();
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (positionals.length !== 1) throw new UserError('give one folder to create', { remedy: 'see --help' });
  const count = (name: 'images' | 'objects' | 'detections' | 'seed') => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new UserError('must be a whole number from 0 on', { key: `--${name}`, value: values[name] });
  };
  const sizes = {
    images: count('images'),
    objects: count('objects'),
    detections: count('detections'),
    seed: count('seed'),
  };
  const [out] = positionals;
  const log = new Console(process.stderr);
  let progress: Progress | undefined;
  await writeCoco(out, sizes, (name, done, total) => {
    if (done === 0) progress = new Progress(log, { label: name, total, unit: 'entries' });
    else progress?.update(done);
    if (done === total) progress?.finish();
  });
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        images: { type: 'string', default: '5000' },
        objects: { type: 'string', default: '34000' },
        detections: { type: 'string', default: '500000' },
        seed: { type: 'string', default: '0' },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new UserError(errorMessage(error), { remedy: 'see --help', cause: error });
  }
}

await runTool(main);
