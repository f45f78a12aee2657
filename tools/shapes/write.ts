/** Writes the data set: images, COCO annotations, and on request the objects cut out into folders by category. */

import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../src/core/errors.js';
import { explainWriteError } from '../../src/core/fs.js';
import { temporaryName } from '../../src/core/temporary.js';
import { encodeJpeg } from '../../src/image/encode.js';
import { type Annotation, annotate } from './annotate.js';
import { CATEGORIES } from './categories.js';
import { renderScene, type Scene } from './render.js';

export interface MakeShapesOptions {
  /** Folder to create: `train/`, `val/`, `annotations/instances_{train,val}.json`. */
  out: string;
  /** Folder to create: `{train,val}/{category}/{annotation}.jpg`. */
  classFolders?: string;
  /** Number of images. */
  train: number;
  val: number;
  seed: number;
  /** Longer side of an image, pixels. */
  size: number;
  /** Replace what is there. */
  overwrite: boolean;
  onProgress?: (done: number) => void;
}

/** Share of an object's side that is added around it in class folders. */
const MARGIN = 0.15;
const SMALLEST_CROP = 16;

/**
 * Everything is written into temporary folders, which are renamed when all is there.
 *
 * @throws UserError when a folder exists and is not empty, or cannot be written
 */
export async function makeShapes(
  options: MakeShapesOptions,
): Promise<{ train: number; val: number; objects: number }> {
  const { out, classFolders, overwrite } = options;
  const targets = [out, ...(classFolders === undefined ? [] : [classFolders])];
  for (const target of targets) if (!overwrite) await refuseUsed(target);
  const temporary = targets.map((target) => temporaryName(target));
  try {
    let objects = 0;
    let done = 0;
    for (const split of ['train', 'val'] as const) {
      objects += await writeSplit(split, temporary, options, () => options.onProgress?.(++done));
    }
    for (const [i, target] of targets.entries()) {
      await rm(target, { recursive: true, force: true });
      await rename(temporary[i], target);
    }
    return { train: options.train, val: options.val, objects };
  } catch (error) {
    for (const folder of temporary) await rm(folder, { recursive: true, force: true });
    throw explainWriteError(out, error);
  }
}

async function refuseUsed(folder: string): Promise<void> {
  const entries = await readdir(folder).catch(() => []);
  if (entries.length === 0) return;
  throw new UserError('is not empty', { where: folder, remedy: 'choose another folder, or add --overwrite' });
}

async function writeSplit(
  split: 'train' | 'val',
  [out, classFolders]: string[],
  { seed, size, ...counts }: MakeShapesOptions,
  onImage: () => void,
): Promise<number> {
  const images: object[] = [];
  const annotations: Annotation[] = [];
  await mkdir(join(out, split), { recursive: true });
  for (let index = 0; index < counts[split]; index++) {
    const scene = renderScene(seed, split, index, size);
    const fileName = `${String(index + 1).padStart(6, '0')}.jpg`;
    const jpeg = await encodeJpeg({ data: scene.pixels, width: scene.width, height: scene.height });
    await writeFile(join(out, split, fileName), jpeg);
    images.push({
      id: index + 1,
      file_name: fileName,
      width: scene.width,
      height: scene.height,
      license: 1,
    });
    const found = annotate(scene, index + 1, annotations.length + 1);
    annotations.push(...found);
    if (classFolders !== undefined) await writeCrops(scene, found, join(classFolders, split));
    onImage();
  }
  await mkdir(join(out, 'annotations'), { recursive: true });
  const file = join(out, 'annotations', `instances_${split}.json`);
  const licenses = [{ id: 1, name: 'CC0 1.0', url: 'https://creativecommons.org/publicdomain/zero/1.0/' }];
  const categories = CATEGORIES.map(({ id, name }) => ({ id, name, supercategory: 'shape' }));
  const info = { description: `rendered shapes, seed ${seed}, ${split}`, version: '1.0' };
  await writeFile(file, JSON.stringify({ info, licenses, images, annotations, categories }));
  return annotations.length;
}

async function writeCrops(scene: Scene, annotations: Annotation[], folder: string): Promise<void> {
  for (const { id, bbox, category_id, iscrowd } of annotations) {
    const [x, y, w, h] = bbox;
    if (iscrowd === 1 || Math.min(w, h) < SMALLEST_CROP) continue;
    const half = (0.5 + MARGIN) * Math.max(w, h);
    const [cx, cy] = [x + w / 2, y + h / 2];
    const left = Math.max(0, Math.round(cx - half));
    const top = Math.max(0, Math.round(cy - half));
    const right = Math.min(scene.width, Math.round(cx + half));
    const bottom = Math.min(scene.height, Math.round(cy + half));
    const category = join(folder, CATEGORIES[category_id - 1].name);
    await mkdir(category, { recursive: true });
    const crop = cut(scene, left, top, right, bottom);
    await writeFile(join(category, `${String(id).padStart(6, '0')}.jpg`), await encodeJpeg(crop, 95));
  }
}

function cut({ pixels, width }: Scene, left: number, top: number, right: number, bottom: number) {
  const data = new Uint8Array((right - left) * (bottom - top) * 3);
  for (let y = top; y < bottom; y++) {
    const from = (y * width + left) * 3;
    data.set(pixels.subarray(from, from + (right - left) * 3), (y - top) * (right - left) * 3);
  }
  return { data, width: right - left, height: bottom - top };
}
