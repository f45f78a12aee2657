/** The examples of a page of the docs, and the files that they name. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomCase } from '../pycocotools/random-dataset.js';
import { writePhoto } from './photos.js';
import { writeResNet18 } from './weights.js';

export interface Example {
  /** The heading above it. */
  readonly title: string;
  readonly code: string;
}

/** The blocks that are marked `js`, in their order. */
export function examplesOf(page: string): Example[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(({ 1: code, index }) => {
    const title = [...text.slice(0, index).matchAll(/^#+ (.*)$/gm)].at(-1)?.[1] ?? '';
    return { title, code };
  });
}

/** Fills a folder with what the examples of docs/library.md work on. */
export async function writeExampleFiles(folder: string): Promise<void> {
  await writeResNet18(join(folder, 'backbone.pth'), 1);
  for (const [split, count] of [
    ['train', 4],
    ['val', 2],
  ] as const) {
    for (let i = 0; i < count; i++) {
      await writePhoto(join(folder, 'photos', split, 'cat', `${i}.jpg`), 'coarse', i);
      await writePhoto(join(folder, 'photos', split, 'dog', `${i}.jpg`), 'fine', i);
    }
  }
  const { dataset, results } = randomCase(21, { images: 10, categories: 2, objects: 4, detections: 8 });
  writeFileSync(join(folder, 'instances.json'), JSON.stringify(dataset));
  writeFileSync(join(folder, 'results.json'), JSON.stringify(results.bbox));
}
