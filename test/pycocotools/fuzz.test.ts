/**
 * 50,000 bad inputs: each ends in a result or in an error of the kind that is made for it, soon. A hang would show as the
 * test's time limit, anything else that is thrown as a failure.
 */

import { expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/rng.js';
import { mask, RleStringError } from '../../src/pycocotools/index.js';
import { memorySource } from '../../src/pycocotools/json/source.js';
import { readDatasetTable } from '../../src/pycocotools/table/read-dataset.js';
import { readResults } from '../../src/pycocotools/table/read-results.js';
import { randomCase } from './random-dataset.js';

/** @returns whether it was refused */
function refused(run: () => void, ...kinds: (new (...args: never[]) => Error)[]): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (!kinds.some((kind) => error instanceof kind)) throw error;
    return true;
  }
}

it('20,000 strings of runs', () => {
  const random = new RandomStream(1, 'fuzz');
  let bad = 0;
  for (let i = 0; i < 20_000; i++) {
    const valid = mask.countsToString(
      Array.from({ length: random.integer(1, 20) }, () => random.integer(0, 2 ** random.integer(1, 31))),
    );
    const bytes = Buffer.from(valid);
    for (let n = random.integer(0, 4); n > 0; n--)
      bytes[random.integer(0, bytes.length)] = random.integer(0, 256);
    const text = random.chance(0.3) ? bytes.subarray(0, random.integer(0, bytes.length + 1)) : bytes;
    const size = [random.integer(0, 40), random.integer(0, 40)] as const;
    const run = () => {
      const counts = mask.stringToCounts(text);
      // What is accepted is what would be written.
      expect([...mask.stringToCounts(mask.countsToString(counts))]).toEqual([...counts]);
      const object = { size, counts: text };
      mask.area(object);
      mask.toBbox(object);
      mask.merge([object, { size, counts: [3, 4, 5] }]);
      mask.iou([object], [{ size, counts: [3, 4, 5] }, object], [0, 1]);
      mask.decode(object);
    };
    if (refused(run, RleStringError, RangeError)) bad++;
  }
  expect(bad).toBeGreaterThan(5000);
  expect(bad).toBeLessThan(20_000);
});

it('20,000 polygons', () => {
  const random = new RandomStream(2, 'fuzz');
  const specials = [Number.NaN, Number.POSITIVE_INFINITY, 1e9, -1e9, 1e300, -0, 2 ** 31, 0.1 + 0.2];
  let bad = 0;
  for (let i = 0; i < 20_000; i++) {
    const [height, width] = [random.integer(0, 50), random.integer(0, 50)];
    const polygon = Array.from({ length: random.integer(0, 16) }, () =>
      random.chance(0.02) ? specials[random.integer(0, specials.length)] : random.between(-60, 110),
    );
    const run = () => {
      const [filled] = mask.fromPolygons([polygon], height, width);
      expect(mask.stringToCounts(filled.counts).reduce((sum, count) => sum + count, 0)).toBe(height * width);
      expect(mask.decode(filled).data.reduce((sum, one) => sum + one, 0)).toBe(mask.area(filled));
    };
    if (refused(run, RangeError)) bad++;
  }
  expect(bad).toBeGreaterThan(5000);
  expect(bad).toBeLessThan(18_000);
});

it('10,000 files', () => {
  const random = new RandomStream(3, 'fuzz');
  const { dataset, results } = randomCase(5, { images: 2, categories: 2, objects: 2, detections: 2 });
  const truth = Buffer.from(JSON.stringify(dataset));
  const found = Buffer.from(JSON.stringify(results.segm.slice(0, 3)));
  const keep = { masks: true, keypoints: true };
  let bad = 0;
  for (let i = 0; i < 10_000; i++) {
    const isTruth = i % 2 === 0;
    let bytes = Buffer.from(isTruth ? truth : found);
    for (let n = random.integer(1, 4); n > 0; n--) {
      const at = random.integer(0, bytes.length);
      const kind = random.integer(0, 4);
      if (kind === 0) bytes[at] = random.integer(0, 256);
      else if (kind === 1) bytes[at] = '[]{}",:0123456789.-+eE\\nu'.charCodeAt(random.integer(0, 25));
      else if (kind === 2) bytes = bytes.subarray(0, at + 1);
      else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.integer(0, bytes.length))]);
    }
    const source = memorySource(bytes, 'file.json');
    const run = () => {
      const table = isTruth
        ? readDatasetTable(source, keep).annotations
        : readResults(source, { keep }).table;
      for (let row = 0; row < table.count; row++) {
        refused(() => table.mask(row, 30, 30), RangeError, RleStringError);
        table.keypointsOf(row);
      }
    };
    if (refused(run, UserError)) bad++;
  }
  expect(bad).toBeGreaterThan(5000);
  expect(bad).toBeLessThan(10_000);
});
