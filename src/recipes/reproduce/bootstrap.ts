/**
 * How much a figure would vary with other validation images: they are drawn anew with replacement, and it is measured again
 * (Efron, 1979). This is the noise of one cell; that of another seed is not in it.
 */

import { readFile } from 'node:fs/promises';
import { RandomStream } from '../../core/rng.js';
import { evaluateDetections } from '../../evaluation/detections.js';
import { spreadOf } from '../../evaluation/statistics.js';
import { COCO } from '../../pycocotools/dataset/coco.js';
import type { ImageId, Result } from '../../pycocotools/dataset/types.js';

/**
 * @param annotations the truth, a JSON file
 * @param results `coco_instances_results.json` of the same images
 * @returns standard deviations of `bbox/AP` and, with masks, `segm/AP`; percent
 */
export async function detectionNoise(
  annotations: string,
  results: string,
  { draws, masks }: { draws: number; masks: boolean },
): Promise<Record<string, number>> {
  if (draws < 2) return {};
  const truth = COCO.open(annotations).dataset;
  const found = JSON.parse(await readFile(results, 'utf8')) as Result[];
  const images = truth.images ?? [];
  const objects = byImage(truth.annotations ?? []);
  const detections = byImage(found);
  const samples = Array.from({ length: draws }, (_, draw) => {
    const stream = new RandomStream(0, 'bootstrap', draw);
    const drawn = images.map(() => images[stream.integer(0, images.length)]);
    return {
      dataset: {
        ...truth,
        images: drawn.map((image, i) => ({ ...image, id: numbered(i) })),
        annotations: renumbered(drawn, objects).map((object, i) => ({ ...object, id: numbered(i) })),
      },
      results: renumbered(drawn, detections),
    };
  });
  const types = masks ? (['bbox', 'segm'] as const) : (['bbox'] as const);
  return Object.fromEntries(
    types.map((type) => {
      const values = samples.map(
        ({ dataset, results }) => evaluateDetections(new COCO(dataset), results, type).figures.AP,
      );
      return [`${type}/AP`, spreadOf(values.filter((value) => !Number.isNaN(value))).deviation];
    }),
  );
}

function byImage<T extends { image_id: ImageId }>(entries: readonly T[]): Map<ImageId, T[]> {
  const groups = new Map<ImageId, T[]>();
  for (const entry of entries) {
    const group = groups.get(entry.image_id) ?? [];
    groups.set(entry.image_id, group);
    group.push(entry);
  }
  return groups;
}

/** What belongs to the images that were drawn. They are numbered anew, as one may be drawn twice. */
function renumbered<T extends { image_id: ImageId }>(
  drawn: readonly { id: ImageId }[],
  groups: ReadonlyMap<ImageId, readonly T[]>,
): T[] {
  return drawn.flatMap(({ id }, i) =>
    (groups.get(id) ?? []).map((entry) => ({ ...entry, image_id: numbered(i) })),
  );
}

/** pycocotools takes an id of 0 for none. */
function numbered(i: number): number {
  return i + 1;
}

/** The same for a share of right answers, for which the bootstrap's limit is known: the binomial distribution's. Percent. */
export function accuracyNoise(percent: number, images: number): number {
  const share = percent / 100;
  return 100 * Math.sqrt((share * (1 - share)) / images);
}
