/** Makes annotation and result files of any size, without images; see `--help`. */

import { Console } from '../src/report/console.js';
import { Progress } from '../src/report/progress.js';
import { writeCoco } from './coco/write.js';
import { requirePositionals, runTool, wholeNumber } from './run-tool.js';

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

const OPTIONS = {
  images: { type: 'string', default: '5000' },
  objects: { type: 'string', default: '34000' },
  detections: { type: 'string', default: '500000' },
  seed: { type: 'string', default: '0' },
} as const;

await runTool({ help: HELP, options: OPTIONS }, async ({ values, positionals }) => {
  requirePositionals(positionals, 1, 'one folder to create');
  const count = (name: keyof typeof OPTIONS) => wholeNumber(name, values[name]);
  const sizes = {
    images: count('images'),
    objects: count('objects'),
    detections: count('detections'),
    seed: count('seed'),
  };
  const log = new Console(process.stderr);
  let progress: Progress | undefined;
  await writeCoco(positionals[0], sizes, (name, done, total) => {
    if (done === 0) progress = new Progress(log, { label: name, total, unit: 'entries' });
    else progress?.update(done);
    if (done === total) progress?.finish();
  });
});
