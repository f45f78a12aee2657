/** Masks against pycocotools: 10,000 random masks, 10,000 random polygons, their unions, overlaps and boxes. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { mask } from '../../src/pycocotools/index.js';

const SCRIPT = fileURLToPath(new URL('./python/coco_mask.py', import.meta.url));
const COUNT = 10_000;

/** Masks of blocks and noise; ten in a row have the same size. */
function randomMask(index: number) {
  const sizes = new RandomStream(1, 'mask/size', 0, Math.floor(index / 10));
  const [height, width] = [sizes.integer(1, 40), sizes.integer(1, 40)];
  const random = new RandomStream(1, 'mask', 0, index);
  const data = new Uint8Array(height * width);
  const [left, right] = [random.integer(0, width + 1), random.integer(0, width + 1)];
  const [top, bottom] = [random.integer(0, height + 1), random.integer(0, height + 1)];
  for (let x = left; x < right; x++) for (let y = top; y < bottom; y++) data[x * height + y] = 1;
  const noise = [0, 0, 0.02, 0.5][random.integer(0, 4)];
  for (let i = 0; i < data.length; i++) if (random.chance(noise)) data[i] ^= 1;
  return { height, width, data };
}

function randomPolygon(index: number) {
  const random = new RandomStream(1, 'polygon', 0, index);
  const [height, width] = [random.integer(1, 60), random.integer(1, 60)];
  const whole = random.chance(0.3);
  const points = Array.from({ length: 2 * random.integer(3, 12) }, () => random.between(-30, 90));
  // Repeated and whole coordinates, as annotators make them.
  if (random.chance(0.2)) points.splice(2, 2, points[0], points[1]);
  return { height, width, points: whole ? points.map((value) => Math.round(value)) : points };
}

it('strings, areas, boxes, unions and overlaps are equal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
  try {
    const masks = Array.from({ length: COUNT }, (_, i) => randomMask(i));
    const polygons = Array.from({ length: COUNT }, (_, i) => randomPolygon(i));
    const input = {
      masks: masks.map(({ height, width, data }) => [height, width, Buffer.from(data).toString('hex')]),
      polygons: polygons.map(({ height, width, points }) => [height, width, points]),
    };
    await writeFile(join(folder, 'in.json'), JSON.stringify(input));
    await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, folder]);
    const expected = JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'));

    const coded = masks.map((dense) => mask.encode(dense));
    expect(coded.map(({ counts }) => counts)).toEqual(expected.strings);
    expect(coded.map(mask.area)).toEqual(expected.areas);
    expect(coded.map(mask.toBbox)).toEqual(expected.boxes);
    for (let i = 0; i < COUNT; i += 10) {
      const ten = coded.slice(i, i + 10);
      expect(mask.merge(ten).counts).toBe(expected.unions[i / 10]);
      expect(mask.merge(ten.slice(0, 2), true).counts).toBe(expected.intersections[i / 10]);
      const crowd = ten.map((_, k) => k % 2);
      expect(mask.iou(ten, ten, crowd)).toEqual(expected.ious[i / 10]);
      expect(mask.iou(ten.map(mask.toBbox), ten.map(mask.toBbox), crowd)).toEqual(expected.boxIous[i / 10]);
      expect(mask.decode(ten[0])).toEqual(masks[i]);
    }
    const filled = polygons.map(
      ({ height, width, points }) => mask.fromPolygons([points], height, width)[0].counts,
    );
    expect(filled).toEqual(expected.polygons);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
