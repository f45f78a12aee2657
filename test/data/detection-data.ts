/** Small detection data sets: pictures and a COCO file. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Annotation, Dataset } from '../../src/pycocotools/dataset/types.js';
import { writeJpeg } from '../image/pictures.js';

/** A square of polygons as large as the box. */
export function annotation(id: number, image: number, bbox: number[], more: object = {}): Annotation {
  const [x, y, w, h] = bbox;
  const polygon = [x, y, x + w, y, x + w, y + h, x, y + h];
  return { id, image_id: image, category_id: 3, bbox, iscrowd: 0, segmentation: [polygon], ...more };
}

/** Writes `annotations.json` into the folder. @returns its path */
export function writeAnnotations(folder: string, dataset: Dataset): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'annotations.json');
  writeFileSync(path, JSON.stringify(dataset));
  return path;
}

/** Pictures `0.jpg`, ... of these sizes in `images`, and what COCO says of them. */
export async function writeImages(folder: string, sizes: readonly (readonly [number, number])[]) {
  for (const [i, [width, height]] of sizes.entries()) {
    await writeJpeg(join(folder, 'images', `${i}.jpg`), width, height, i);
  }
  return sizes.map(([width, height], id) => ({ id, width, height, file_name: `${id}.jpg` }));
}
