/**
 * Our side of the pipeline benchmark: answers `images N FOLDER` with the processor milliseconds of one image, from the file
 * to two augmented, normalised views, all threads counted.
 */

import { parseArgs } from 'node:util';
import { SILENT } from '../../src/core/log.js';
import { openDataset } from '../../src/data/dataset.js';
import { loadViews } from '../../src/data/loader.js';
import { ensureEngine } from '../../src/engine/install/install.js';
import { Runtime } from '../../src/engine/runtime.js';
import { photometricInputs, photometricStage } from '../../src/recipes/pretrain/step-inputs.js';
import { blurBasis } from '../../src/views/blur.js';
import { drawPair } from '../../src/views/pair.js';
import type { PhotometricDraw } from '../../src/views/photometric-draws.js';
import { serve } from './serve.js';

const BATCH = 8;

const { values } = parseArgs({ options: { side: { type: 'string', default: '224' } } });
const side = Number(values.side);
const { libraries } = await ensureEngine({ log: SILENT });
const runtime = Runtime.open({ libraries, threads: 1, device: 'cpu' });
const basis = blurBasis('resized', side);
const stage = photometricStage(basis);
const step = runtime.compile('views', stage.inputs(BATCH, side), (inputs) => ({
  views: stage.views(inputs),
}));

/** Batches of images 0, 1, 2, ..., again from the first when there are no more. */
function* cyclic(images: number, count: number) {
  for (let i = 0; i < Math.ceil(count / BATCH); i++) {
    yield {
      step: i,
      indices: Uint32Array.from({ length: BATCH }, (_, place) => (i * BATCH + place) % images),
    };
  }
}

await serve(
  async (count, folder) => {
    const dataset = await openDataset({ root: folder });
    const before = process.cpuUsage();
    const batches = loadViews<PhotometricDraw>({
      images: dataset.images,
      batches: cyclic(dataset.count, count),
      size: side,
      views: 2,
      seed: 0,
      epoch: 0,
      workers: 3,
      draw: (image, info) => drawPair(0, 0, image, info, side),
    });
    let done = 0;
    for await (const batch of batches) {
      await step.run(photometricInputs(batch, basis));
      done += batch.indices.length;
    }
    const { user, system } = process.cpuUsage(before);
    return [(user + system) / 1000 / done];
  },
  {
    command: 'images',
    info: { versions: { tensorflow: runtime.version, node: process.version }, threads: 1 },
  },
);
runtime.close();
