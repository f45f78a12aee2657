/**
 * Seeded random data sets with everything that evaluation treats specially: crowds, several polygons, empty images, tied
 * scores, duplicate boxes, huge and sub-pixel objects, absent categories, more detections than are counted.
 */

import { RandomStream } from '../../src/core/rng.js';
import type {
  Annotation,
  CategoryRecord,
  Dataset,
  ImageRecord,
  Result,
} from '../../src/pycocotools/index.js';
import { encode } from '../../src/pycocotools/mask/index.js';

export interface RandomSize {
  images: number;
  categories: number;
  /** Objects of an image, at most. */
  objects: number;
  /** Detections of an image, at most. */
  detections: number;
}

export interface RandomCase {
  dataset: Dataset;
  results: { bbox: Result[]; segm: Result[]; keypoints: Result[] };
}

const KEYPOINTS = 17;

export function randomCase(seed: number, size: RandomSize): RandomCase {
  const random = new RandomStream(seed, 'coco');
  const integer = (low: number, high: number) => Math.floor(random.between(low, high + 1));
  const chance = (p: number) => random.uniform() < p;
  const images: ImageRecord[] = Array.from({ length: size.images }, (_, i) => ({
    id: 7 * i + 3,
    width: integer(40, 160),
    height: integer(40, 160),
  }));
  const categories: CategoryRecord[] = Array.from({ length: size.categories }, (_, i) => ({
    id: 2 * i + 1,
    name: `category ${i}`,
  }));
  const annotations: Annotation[] = [];
  const results: RandomCase['results'] = { bbox: [], segm: [], keypoints: [] };

  for (const image of images) {
    const [width, height] = [image.width ?? 0, image.height ?? 0];
    const box = (): number[] => {
      const kind = random.uniform();
      const scale = kind < 0.1 ? 0.01 : kind < 0.2 ? 2 : 0.6;
      const [w, h] = [random.between(0.2, scale * width), random.between(0.2, scale * height)];
      const [x, y] = [random.between(-5, width), random.between(-5, height)];
      return chance(0.3) ? [x, y, w, h].map((value) => Math.round(value)) : [x, y, w, h];
    };
    const polygon = ([x, y, w, h]: number[]): number[] => {
      const corners = integer(3, 9);
      return Array.from({ length: corners }, (_, i) => {
        const angle = (2 * Math.PI * i) / corners;
        const r = random.between(0.4, 1);
        return [x + (w / 2) * (1 + r * Math.cos(angle)), y + (h / 2) * (1 + r * Math.sin(angle))];
      }).flat();
    };
    const runs = ([x, y, w, h]: number[]) => {
      const data = new Uint8Array(width * height);
      for (let column = Math.max(0, Math.floor(x)); column < Math.min(width, x + w); column++) {
        for (let row = Math.max(0, Math.floor(y)); row < Math.min(height, y + h); row++) {
          if (!chance(0.05)) data[column * height + row] = 1;
        }
      }
      return encode({ data, height, width });
    };
    const points = ([x, y, w, h]: number[]): number[] =>
      Array.from({ length: KEYPOINTS }, () => [
        random.between(x, x + w),
        random.between(y, y + h),
        integer(0, 2),
      ]).flat();

    const truths: Annotation[] = [];
    for (let n = chance(0.15) ? 0 : integer(0, size.objects); n > 0; n--) {
      const bbox = chance(0.1) && truths.length > 0 ? (truths[0].bbox ?? box()) : box();
      const crowd = chance(0.12) ? 1 : 0;
      const keypoints = chance(0.1) ? new Array(3 * KEYPOINTS).fill(0) : points(bbox);
      const annotation: Annotation = {
        id: annotations.length + truths.length + (seed % 2),
        image_id: image.id,
        category_id: categories[integer(0, categories.length - 1)].id,
        bbox,
        area: bbox[2] * bbox[3] * random.between(0.4, 1),
        iscrowd: crowd,
        segmentation:
          crowd === 1 || chance(0.2)
            ? runs(bbox)
            : Array.from({ length: integer(1, 3) }, () => polygon(bbox)),
        keypoints,
        num_keypoints: keypoints.filter((v, i) => i % 3 === 2 && v > 0).length,
      };
      truths.push(annotation);
    }
    annotations.push(...truths);

    for (let n = size.images > 1 && chance(0.1) ? 0 : integer(1, size.detections); n > 0; n--) {
      const near = truths.length > 0 && chance(0.6) ? truths[integer(0, truths.length - 1)] : undefined;
      const shift = () => random.between(-0.15, 0.15);
      const bbox =
        near?.bbox !== undefined
          ? chance(0.2)
            ? near.bbox
            : [
                near.bbox[0] + shift() * near.bbox[2],
                near.bbox[1] + shift() * near.bbox[3],
                near.bbox[2] * (1 + shift()),
                near.bbox[3] * (1 + shift()),
              ]
          : box();
      const entry = {
        image_id: image.id,
        category_id:
          near !== undefined && chance(0.8)
            ? near.category_id
            : chance(0.05)
              ? 999
              : 2 * integer(0, categories.length - 1) + 1,
        // Ten values only: many ties.
        score: chance(0.5) ? integer(0, 10) / 10 : random.uniform(),
      };
      results.bbox.push({ ...entry, bbox });
      results.segm.push({ ...entry, segmentation: runs(bbox) });
      const keypoints = near?.keypoints?.map((value, i) => (i % 3 === 2 ? 1 : value + random.between(-3, 3)));
      results.keypoints.push({ ...entry, keypoints: keypoints ?? points(bbox) });
    }
  }
  return { dataset: { images, categories, annotations }, results };
}
