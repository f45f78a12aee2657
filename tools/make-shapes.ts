/** Makes a COCO-format data set of rendered shapes; see `--help`. */

import { Console } from '../src/report/console.js';
import { Progress } from '../src/report/progress.js';
import { requirePositionals, runTool, wholeNumber } from './run-tool.js';
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

const OPTIONS = {
  train: { type: 'string', default: '400' },
  val: { type: 'string', default: '100' },
  seed: { type: 'string', default: '0' },
  size: { type: 'string', default: '256' },
  'class-folders': { type: 'string' },
  overwrite: { type: 'boolean', default: false },
} as const;

await runTool({ help: HELP, options: OPTIONS }, async ({ values, positionals }) => {
  requirePositionals(positionals, 1, 'one folder to create');
  const [out] = positionals;
  const [train, val, seed, size] = (['train', 'val', 'seed', 'size'] as const).map((name) =>
    wholeNumber(name, values[name], name === 'size' ? 64 : 0),
  );
  const log = new Console(process.stderr);
  const progress = new Progress(log, { label: 'rendering', total: train + val, unit: 'images' });
  const made = await makeShapes({
    ...{ out, train, val, seed, size },
    overwrite: values.overwrite,
    ...(values['class-folders'] !== undefined && { classFolders: values['class-folders'] }),
    onProgress: (done) => progress.update(done),
  });
  progress.finish();
  log.info(`${made.train} + ${made.val} images with ${made.objects} annotated objects in ${out}`);
});
