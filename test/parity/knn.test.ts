/**
 * kNN accuracy against a few lines of PyTorch: the same figures and the same prediction for every query.
 * Needs a Python with torch: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { knnAccuracies } from '../../src/evaluation/knn.js';

const SCRIPT = fileURLToPath(new URL('./python/knn.py', import.meta.url));
const KS = [20, 200];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Noisy copies of class centres, each row of length 1. */
function rows(count: number, channels: number, classes: number, name: string) {
  const centres = new Float32Array(classes * channels);
  new RandomStream(1, 'test/knn centres').fillNormal(centres, 1);
  const stream = new RandomStream(1, `test/knn ${name}`);
  const data = new Float32Array(count * channels);
  stream.fillNormal(data, 2.5);
  const labels = Int32Array.from({ length: count }, () => stream.integer(0, classes));
  for (let r = 0; r < count; r++) {
    const row = data.subarray(r * channels, (r + 1) * channels);
    for (let c = 0; c < channels; c++) row[c] += centres[labels[r] * channels + c];
    const norm = Math.hypot(...row);
    for (let c = 0; c < channels; c++) row[c] /= norm;
  }
  return { data, labels };
}

it.each([
  { bank: 3000, queries: 800, channels: 64, classes: 40, temperature: 0.07 },
  { bank: 1000, queries: 500, channels: 33, classes: 12, temperature: 0.5 },
])('of $queries queries, T = $temperature', async ({ channels, classes, temperature, ...counts }) => {
  const bank = rows(counts.bank, channels, classes, 'bank');
  const queries = rows(counts.queries, channels, classes, 'queries');
  const arrays = [bank.data, bank.labels, queries.data, queries.labels];
  const paths = arrays.map((_, i) => join(folder, `${i}.bin`));
  for (const [i, array] of arrays.entries()) await writeFile(paths[i], array);
  const numbers = [channels, classes, temperature, ...KS].map(String);
  const python = process.env.SCRL_PYTHON ?? 'python3';
  const { stdout } = await promisify(execFile)(python, [SCRIPT, ...paths, ...numbers]);
  const theirs = JSON.parse(stdout);

  const ours = knnAccuracies(
    {
      bank: bank.data,
      bankLabels: bank.labels,
      queries: queries.data,
      queryLabels: queries.labels,
      classes,
      temperature,
    },
    KS,
  );
  for (const [i, k] of KS.entries()) {
    const { top1, top5, predictions } = ours[i];
    // Neither trivial nor hopeless, so that a wrong vote shows.
    expect(top1).toBeGreaterThan(200 / classes);
    expect(top5).toBeLessThan(100);
    expect({ k, top1, top5 }).toEqual({ k, top1: theirs.top1[k], top5: theirs.top5[k] });
    expect([...predictions]).toEqual(theirs.predictions[k]);
  }
});
