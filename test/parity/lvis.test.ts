/** Federated evaluation against LVIS's own (`pip install --no-deps lvis==0.5.3`), to the last bit. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { formatSummary } from '../../src/pycocotools/evaluation/summarize.js';
import { COCO, COCOeval, evaluateFiles, federatedParams } from '../../src/pycocotools/index.js';
import { randomCase } from '../pycocotools/random-dataset.js';

const SCRIPT = fileURLToPath(new URL('./python/lvis_eval.py', import.meta.url));

it.each([1, 2, 3])('random data set %d', async (seed) => {
  const folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
  try {
    const random = new RandomStream(seed, 'lvis');
    const { dataset, results } = randomCase(seed, {
      images: 12,
      categories: 9,
      objects: 12,
      detections: 500,
    });
    const { images = [], categories = [], annotations = [] } = dataset;
    const some = (p: number) => categories.map(({ id }) => id).filter(() => random.chance(p));
    for (const image of images)
      Object.assign(image, { neg_category_ids: some(0.3), not_exhaustive_category_ids: some(0.2) });
    for (const category of categories) category.frequency = ['r', 'c', 'f'][random.integer(0, 3)];
    for (const annotation of annotations) {
      annotation.iscrowd = 0;
      if (random.chance(0.1)) annotation.ignore = 1;
    }
    await writeFile(join(folder, 'gt.json'), JSON.stringify(dataset));
    for (const type of ['bbox', 'segm'] as const) {
      await writeFile(join(folder, `${type}.json`), JSON.stringify(results[type]));
    }
    await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, folder]);
    for (const iouType of ['bbox', 'segm'] as const) {
      const expected = JSON.parse(await readFile(join(folder, `${iouType}.out.json`), 'utf8'));
      const coco = new COCO(dataset);
      const evaluation = new COCOeval(
        coco,
        coco.loadRes(results[iouType]),
        iouType,
        federatedParams(iouType),
      );
      evaluation.evaluate();
      const curves = evaluation.accumulate();
      expect([...curves.precision]).toEqual(expected.precision);
      expect([...curves.recall]).toEqual(expected.recall);
      expect(evaluation.summary().map(({ value }) => value)).toEqual(expected.stats);
      expect(`${evaluation.summarize()}\n`).toBe(expected.table);
      const [gt, dt] = [join(folder, 'gt.json'), join(folder, `${iouType}.json`)];
      const files = await evaluateFiles({ gt, dt, iouType, federated: true, threads: 1 });
      expect(formatSummary(files.summary, files.params)).toBe(evaluation.summarize());
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
