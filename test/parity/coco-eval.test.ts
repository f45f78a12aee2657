/**
 * Evaluation against pycocotools: curves, records and the summary are equal to the last bit. Needs a Python with
 * pycocotools: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COCO, COCOeval } from '../../src/pycocotools/index.js';
import { type RandomSize, randomCase } from '../pycocotools/random-dataset.js';

const SCRIPT = fileURLToPath(new URL('./python/coco_eval.py', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function bits(values: ArrayLike<number>): string {
  const bytes = Buffer.alloc(8 * values.length);
  for (let i = 0; i < values.length; i++) bytes.writeDoubleBE(values[i], 8 * i);
  return bytes.toString('hex');
}

const SIZES: RandomSize[] = [
  { images: 1, categories: 1, objects: 3, detections: 5 },
  { images: 20, categories: 3, objects: 8, detections: 20 },
  { images: 6, categories: 1, objects: 5, detections: 260 },
  { images: 60, categories: 12, objects: 12, detections: 40 },
];

it.each([1, 2, 3, 4, 5, 6, 7, 8])('random data set %d', async (seed) => {
  const { dataset, results } = randomCase(seed, SIZES[seed % SIZES.length]);
  await writeFile(join(folder, 'gt.json'), JSON.stringify(dataset));
  for (const [kind, entries] of Object.entries(results)) {
    await writeFile(join(folder, `${kind}.json`), JSON.stringify(entries));
  }
  await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, folder]);
  for (const kind of ['bbox', 'segm', 'keypoints'] as const) {
    const expected = JSON.parse(await readFile(join(folder, `${kind}.out.json`), 'utf8'));
    const truth = new COCO(dataset);
    const evaluation = new COCOeval(truth, truth.loadRes(results[kind]), kind);
    evaluation.evaluate();
    const curves = evaluation.accumulate();
    const table = evaluation.summarize();
    expect([...curves.counts]).toEqual(expected.counts);
    for (const name of ['precision', 'recall', 'scores'] as const) {
      expect(bits(curves[name]) === expected[name], `${kind}: ${name}`).toBe(true);
    }
    expect(bits(evaluation.stats), `${kind}: stats`).toBe(expected.stats);
    expect(`${table}\n`).toBe(expected.table);
    const records = evaluation.evalImgs.map((record) => {
      if (record === null) return null;
      const { aRng: _, ...rest } = record;
      return rest;
    });
    expect(records).toEqual(expected.evalImgs);
  }
});
