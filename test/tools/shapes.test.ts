/** The shapes data set: reproducible, and annotated exactly as drawn. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { annotate, boundingBox, outlines, runLengths } from '../../tools/shapes/annotate.js';
import { CATEGORIES } from '../../tools/shapes/categories.js';
import { renderScene } from '../../tools/shapes/render.js';
import { makeShapes } from '../../tools/shapes/write.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shapes-'));
});
afterAll(() => rm(folder, { recursive: true }));

const scenes = Array.from({ length: 60 }, (_, i) => renderScene(3, 'train', i, 96));

/** Even-odd fill at pixel centres. */
function fill(polygons: number[][], width: number, height: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (const polygon of polygons) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let inside = false;
        for (let i = 0; i < polygon.length; i += 2) {
          const [x1, y1] = [polygon[i], polygon[i + 1]];
          const [x2, y2] = [polygon[(i + 2) % polygon.length], polygon[(i + 3) % polygon.length]];
          const crosses = y1 > y + 0.5 !== y2 > y + 0.5;
          if (crosses && x + 0.5 < x1 + ((y + 0.5 - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
        }
        if (inside) mask[y * width + x] = 1;
      }
    }
  }
  return mask;
}

describe('outlines', () => {
  it('of an L are its six corners, clockwise', () => {
    const mask = Uint8Array.from([1, 0, 0, 1, 1, 1]);
    expect(outlines(mask, 3, 2)).toEqual([[1, 0, 1, 1, 3, 1, 3, 2, 0, 2, 0, 0]]);
  });

  it('enclose exactly the pixels seen of an object, and its holes', () => {
    let compared = 0;
    for (const { objects, owners, width, height } of scenes) {
      objects.forEach((_, index) => {
        const mask = Uint8Array.from(owners, (owner) => (owner === index ? 1 : 0));
        const filled = fill(outlines(mask, width, height), width, height);
        expect(mask.every((inside, i) => inside === 0 || filled[i] === 1)).toBe(true);
        const extra = filled.reduce((sum, inside, i) => sum + (inside === 1 && mask[i] === 0 ? 1 : 0), 0);
        // What is enclosed but not seen is a hole: nothing of the ground outside touches it.
        if (extra > 0) expect(touchesBorder(mask, filled, width, height)).toBe(false);
        compared++;
      });
    }
    expect(compared).toBeGreaterThan(150);
  });
});

function touchesBorder(mask: Uint8Array, filled: Uint8Array, width: number, height: number): boolean {
  return filled.some((inside, i) => {
    if (inside === 0 || mask[i] === 1) return false;
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
}

it('runLengths: column order, outside first', () => {
  // 0 1
  // 1 1   columns: 0 1 | 1 1
  expect(runLengths(Uint8Array.from([0, 1, 1, 1]), 2, 2)).toEqual([1, 3]);
  expect(runLengths(Uint8Array.from([1, 0, 0, 0]), 2, 2)).toEqual([0, 1, 3]);
});

it('boundingBox covers whole pixels', () => {
  expect(boundingBox(Uint8Array.from([0, 0, 0, 0, 1, 0, 0, 1, 1]), 3)).toEqual([1, 1, 2, 2]);
});

describe('annotate', () => {
  it('counts what is seen, leaves out specks, and has crowds and tiny objects', () => {
    const all = scenes.flatMap((scene, i) => annotate(scene, i + 1, 1).map((a) => ({ ...a, scene })));
    for (const { area, bbox, segmentation, iscrowd, scene } of all) {
      expect(area).toBeGreaterThanOrEqual(16);
      expect(bbox[0] + bbox[2]).toBeLessThanOrEqual(scene.width);
      expect(bbox[1] + bbox[3]).toBeLessThanOrEqual(scene.height);
      expect(area).toBeLessThanOrEqual(bbox[2] * bbox[3]);
      expect(Array.isArray(segmentation)).toBe(iscrowd === 0);
      if (Array.isArray(segmentation)) continue;
      const seen = segmentation.counts.filter((_, i) => i % 2 === 1).reduce((a, b) => a + b, 0);
      expect(seen).toBe(area);
      expect(segmentation.counts.reduce((a, b) => a + b, 0)).toBe(scene.width * scene.height);
    }
    expect(all.some(({ iscrowd }) => iscrowd === 1)).toBe(true);
    expect(all.some(({ area }) => area < 60)).toBe(true);
    expect(new Set(all.map(({ category_id }) => category_id)).size).toBe(CATEGORIES.length);
  });
});

describe('makeShapes', () => {
  const options = { val: 1, seed: 5, size: 64, overwrite: false };

  it('gives the same bytes for the same seed, and image i whatever the number of images', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name));
    await makeShapes({ ...options, out: a, train: 2 });
    await makeShapes({ ...options, out: b, train: 2 });
    await makeShapes({ ...options, out: c, train: 4, seed: 5 });
    const read = (root: string, name: string) => readFile(join(root, name));
    expect(await read(a, 'annotations/instances_train.json')).toEqual(
      await read(b, 'annotations/instances_train.json'),
    );
    for (const name of ['train/000002.jpg', 'val/000001.jpg'])
      expect(await read(a, name)).toEqual(await read(c, name));
    expect(await read(a, 'train/000001.jpg')).not.toEqual(await read(a, 'val/000001.jpg'));
  });

  it('refuses a folder that is not empty, and replaces it when told to', async () => {
    const out = join(folder, 'used');
    await makeShapes({ ...options, out, train: 1 });
    await writeFile(join(out, 'mine.txt'), 'x');
    await expect(makeShapes({ ...options, out, train: 1 })).rejects.toThrow(
      /is not empty\n {2}choose another/,
    );
    expect(await readFile(join(out, 'mine.txt'), 'utf8')).toBe('x');
    await makeShapes({ ...options, out, train: 1, overwrite: true });
    await expect(readFile(join(out, 'mine.txt'))).rejects.toThrow('ENOENT');
  });

  it('cuts objects into folders by category', async () => {
    const classFolders = join(folder, 'classes');
    const out = join(folder, 'with-classes');
    const { objects } = await makeShapes({ ...options, out, classFolders, train: 12, size: 96 });
    expect(objects).toBeGreaterThan(12);
    const { readdirSync } = await import('node:fs');
    const names = readdirSync(join(classFolders, 'train'));
    expect(names.every((name) => CATEGORIES.some((category) => category.name === name))).toBe(true);
    expect(names.length).toBeGreaterThan(4);
  });
});
