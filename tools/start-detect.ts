/** `npm run start:detect`: a detector from the pretrained backbone of `npm start`, on data that it makes; see `--help`. */

import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findRecipe } from '../src/config/find-recipe.js';
import { resolveConfig } from '../src/config/load.js';
import { DETECT } from '../src/config/schemas/detect.js';
import { PRETRAIN } from '../src/config/schemas/pretrain.js';
import type { LiveLog } from '../src/core/log.js';
import { detectTrain } from '../src/recipes/detect/index.js';
import { predict } from '../src/recipes/detect/predict.js';
import { pretrain } from '../src/recipes/pretrain/index.js';
import { Console } from '../src/report/console.js';
import { requirePositionals, runTool, type ToolArguments } from './run-tool.js';
import { startData } from './start/data.js';

const PICTURES = 6;

const HELP = `Renders shapes, pretrains a backbone when \`npm start\` has made none, trains Faster R-CNN on the annotated scenes, evaluates
it, and draws what it finds.

  npm run start:detect [-- --out FOLDER]

  --out FOLDER   where all that goes (quickstart, in the current folder)

The last line on standard output is a JSON object: AP50, AP, seconds, and where the pictures are.

Example
  npm run start:detect -- --out /tmp/quickstart
`;

const OPTIONS = { out: { type: 'string', default: 'quickstart' } } as const;

async function main({ values, positionals }: ToolArguments<typeof OPTIONS>): Promise<void> {
  requirePositionals(positionals, 0, 'options only');
  const { out } = values;
  const log = new Console(process.stderr);
  const data = await startData(out, log);
  const weights = findBackbone(out) ?? (await makeBackbone(out, data.crops, log));

  const began = performance.now();
  const file = findRecipe('quickstart', { recipes: DETECT.recipes });
  const annotations = (split: string) => join(data.shapes, 'annotations', `instances_${split}.json`);
  const overrides = {
    top_dir: join(out, 'detection'),
    'dataset/train/images': join(data.shapes, 'train'),
    'dataset/train/annotations': annotations('train'),
    'dataset/val/images': join(data.shapes, 'val'),
    'dataset/val/annotations': annotations('val'),
  };
  const resolved = resolveConfig(DETECT, { file, overrides });
  const { folder, figures } = await detectTrain({ resolved, configFile: file, weights, log });
  const pictures = join(folder, 'pictures');
  const images = readdirSync(join(data.shapes, 'val')).sort().slice(0, PICTURES);
  await predict({
    weights: folder,
    images: images.map((name) => join(data.shapes, 'val', name)),
    out: pictures,
    log,
  });
  const here = (path: string) => relative(process.cwd(), path) || '.';
  process.stdout.write(
    `${JSON.stringify({
      AP50: figures['bbox/AP50'],
      AP: figures['bbox/AP'],
      seconds: Math.round((performance.now() - began) / 1000),
      run: here(folder),
      pictures: here(pictures),
    })}\n`,
  );
}

/** The newest backbone of `npm start`. */
function findBackbone(out: string): string | undefined {
  const runs = join(out, 'runs');
  if (!existsSync(runs)) return undefined;
  const finished = readdirSync(runs)
    .filter((name) => name.startsWith('quickstart_'))
    .map((name) => join(runs, name, 'checkpoint_last.pth'))
    .filter((path) => existsSync(path));
  return finished.sort().at(-1);
}

async function makeBackbone(out: string, crops: string, log: LiveLog): Promise<string> {
  const file = findRecipe('quickstart');
  const overrides = { 'dataset/root': join(crops, 'train'), top_dir: out };
  const resolved = resolveConfig(PRETRAIN, { file, overrides });
  const { folder } = await pretrain({ resolved, configFile: file, overwrite: false, log });
  return join(folder, 'checkpoint_last.pth');
}

await runTool({ help: HELP, options: OPTIONS }, main);
