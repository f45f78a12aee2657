import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { accuracyNoise, detectionNoise } from '../../../src/recipes/reproduce/bootstrap.js';
import { annotation, writeAnnotations } from '../../data/detection-data.js';
import { temporaryFolder } from '../../image/pictures.js';

const folder = await temporaryFolder();

/** Twenty images of one object, of which the first `found` are found exactly. */
function write(found: number): [annotations: string, results: string] {
  const images = Array.from({ length: 20 }, (_, id) => ({
    id,
    width: 100,
    height: 100,
    file_name: `${id}.jpg`,
  }));
  const annotations = images.map(({ id }) => annotation(id + 1, id, [10, 10, 50, 50], { area: 2500 }));
  const results = images
    .slice(0, found)
    .map(({ id }) => ({ image_id: id, category_id: 3, bbox: [10, 10, 50, 50], score: 0.9 }));
  const path = join(folder, 'results.json');
  writeFileSync(path, JSON.stringify(results));
  return [writeAnnotations(folder, { images, annotations, categories: [{ id: 3, name: 'cat' }] }), path];
}

it('is nothing where every image is right', async () => {
  const noise = await detectionNoise(...write(20), { draws: 20, masks: false });
  expect(noise).toEqual({ 'bbox/AP': 0 });
});

it('is that of a share where an image is right or wrong', async () => {
  const { 'bbox/AP': noise } = await detectionNoise(...write(10), { draws: 200, masks: false });
  // AP is the recall here, in steps of a hundredth.
  expect(noise / accuracyNoise(50, 20)).toBeGreaterThan(0.85);
  expect(noise / accuracyNoise(50, 20)).toBeLessThan(1.15);
  expect(await detectionNoise(...write(10), { draws: 200, masks: false })).toEqual({ 'bbox/AP': noise });
});

it('is left out where it is not asked for', async () => {
  expect(await detectionNoise(...write(10), { draws: 0, masks: false })).toEqual({});
});
