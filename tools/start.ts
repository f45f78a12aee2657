/** `npm start`: the main job, on data that it makes; see `--help`. */

import { join, relative } from 'node:path';
import { findRecipe } from '../src/config/find-recipe.js';
import { resolveConfig } from '../src/config/load.js';
import { PRETRAIN } from '../src/config/schemas/pretrain.js';
import { formatDuration } from '../src/core/clock.js';
import { openDataset } from '../src/data/dataset.js';
import { ensureEngine } from '../src/engine/install/install.js';
import { Runtime } from '../src/engine/runtime.js';
import { Embedder } from '../src/evaluation/features/embed.js';
import { knnAccuracy } from '../src/evaluation/knn.js';
import { pretrain } from '../src/recipes/pretrain/index.js';
import { preview } from '../src/recipes/pretrain/preview.js';
import { installProgress } from '../src/recipes/shared/install-progress.js';
import { Console } from '../src/report/console.js';
import { Progress } from '../src/report/progress.js';
import { requirePositionals, runTool, type ToolArguments } from './run-tool.js';
import { startData } from './start/data.js';

const CONFIG = findRecipe('quickstart');
const NEIGHBOURS = 20;

const HELP = `Installs the TensorFlow runtime once, renders a small data set of shapes, pretrains SCRL on the objects cut out of it
(no labels), and measures how well nearest neighbours in the features tell the categories apart, before and after.

  npm start [-- --out FOLDER]

  --out FOLDER   where all that goes (quickstart, in the current folder)

Running it again makes a new run in the same folder; the data set is kept.

Example
  npm start -- --out /tmp/quickstart
`;

const OPTIONS = { out: { type: 'string', default: 'quickstart' } } as const;

async function main({ values, positionals }: ToolArguments<typeof OPTIONS>): Promise<void> {
  requirePositionals(positionals, 0, 'options only');
  const began = performance.now();
  const log = new Console(process.stderr);
  const { libraries } = await ensureEngine({ log, onProgress: installProgress(log) });

  const { crops } = await startData(values.out, log);

  const resolved = resolveConfig(PRETRAIN, {
    file: CONFIG,
    overrides: { 'dataset/root': join(crops, 'train'), top_dir: values.out },
  });
  const { config } = resolved;
  const picture = join(values.out, 'preview.png');
  await preview({ resolved, count: 6, out: picture, log });
  const { folder, firstLoss, lastLoss, spread, interrupted } = await pretrain({
    resolved,
    configFile: CONFIG,
    overwrite: false,
    log,
  });
  if (interrupted) {
    process.exitCode = 130;
    return;
  }

  const runtime = Runtime.open({ libraries, ...config.engine });
  const embedder = new Embedder(runtime, {
    network: config.network.name,
    side: config.augment.input_size,
    batch: 32,
  });
  const bank = await openDataset({ root: crops, split: 'train', log });
  const queries = await openDataset({ root: crops, split: 'val', log });
  await embedder.initialize(config.seed);
  await embedder.calibrate(bank);
  const before = await nearestNeighbours(embedder, bank, queries, log, 'kNN, random weights');
  await embedder.load({ path: folder });
  const after = await nearestNeighbours(embedder, bank, queries, log, 'kNN, pretrained');
  runtime.close();

  const here = (path: string) => relative(process.cwd(), path) || '.';
  const categories = bank.classes?.length ?? 1;
  process.stdout.write(
    `
Pretrained ${config.network.name} with SCRL on ${bank.count} images of shapes, without their labels, in ${formatDuration((performance.now() - began) / 1000)}
from the command to here.

  loss                     ${firstLoss.toFixed(2)} -> ${lastLoss.toFixed(2)}
  spread of the outputs    ${spread.toFixed(2)}   (1 = even over the sphere, 0 = collapsed)
  nearest neighbours       ${before.toFixed(1)} % -> ${after.toFixed(1)} %   (${categories} categories, chance ${(100 / categories).toFixed(1)} %; random weights -> pretrained)

  what the method saw      ${here(picture)}
  the curve                ${here(join(folder, 'loss.svg'))}
  the backbone             ${here(join(folder, 'checkpoint_last.pth'))}   (torch.load reads it)

Next: your own photos, any folder of images
  npx scrl preview  --config one_machine --dataset/root PHOTOS
  npx scrl pretrain --config one_machine --dataset/root PHOTOS --dry-run
  npx scrl pretrain --config one_machine --dataset/root PHOTOS
`,
  );
}

/** Accuracy in percent of telling the queries' categories by their nearest neighbours in the bank. */
async function nearestNeighbours(
  embedder: Embedder,
  bank: Awaited<ReturnType<typeof openDataset>>,
  queries: Awaited<ReturnType<typeof openDataset>>,
  log: Console,
  label: string,
): Promise<number> {
  const progress = new Progress(log, { label, total: bank.count + queries.count, unit: 'images' });
  const a = await embedder.embed(bank, (done) => progress.update(done));
  const b = await embedder.embed(queries, (done) => progress.update(bank.count + done));
  progress.finish();
  const { top1 } = knnAccuracy({
    bank: a.data,
    bankLabels: a.labels,
    queries: b.data,
    queryLabels: b.labels,
    classes: bank.classes?.length ?? 1,
    k: NEIGHBOURS,
  });
  return top1;
}

await runTool({ help: HELP, options: OPTIONS }, main);
