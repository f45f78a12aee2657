/** Detections to COCO's results and figures: by hand, and against what pycocotools-js makes of the file. */

import { describe, expect, it } from 'vitest';
import {
  cocoResults,
  evaluateDetections,
  type FoundInImage,
  namedFigures,
} from '../../src/evaluation/detections.js';
import { COCO } from '../../src/pycocotools/dataset/coco.js';
import type { Dataset } from '../../src/pycocotools/dataset/types.js';
import { boxToRle } from '../../src/pycocotools/mask/polygon.js';
import type { Box } from '../../src/pycocotools/mask/rle.js';

/** Precision is a little less than 1 in COCO's rules, so that 0/0 is 0. */
const ALL = expect.closeTo(100, 8);

/** Two images; categories 7 and 21 have objects, 3 has none. */
const TRUTHS: readonly { image: number; category: number; box: Box }[] = [
  { image: 1, category: 21, box: [10, 10, 20, 20] },
  { image: 1, category: 7, box: [50, 20, 40, 40] },
  { image: 2, category: 7, box: [5, 5, 60, 110] },
];

function truth(): COCO {
  const dataset: Dataset = {
    images: [1, 2].map((id) => ({ id, width: 150, height: 120 })),
    categories: [21, 3, 7].map((id) => ({ id, name: `category ${id}` })),
    annotations: TRUTHS.map(({ image, category, box: [x, y, w, h] }, i) => ({
      id: i + 1,
      image_id: image,
      category_id: category,
      bbox: [x, y, w, h],
      area: w * h,
      iscrowd: 0,
      segmentation: [[x, y, x + w, y, x + w, y + h, x, y + h]],
    })),
  };
  return new COCO(dataset);
}

/** Classes are places among the ids in ascending order. */
const CATEGORY_IDS = [3, 7, 21];

/** All objects of an image, found as they are. */
function perfect(image: number): FoundInImage {
  const objects = TRUTHS.filter((object) => object.image === image);
  return {
    image,
    found: {
      boxes: Float32Array.from(objects.flatMap(({ box: [x, y, w, h] }) => [x, y, x + w, y + h])),
      scores: Float32Array.from(objects, (_, i) => 0.9 - 0.1 * i),
      classes: Int32Array.from(objects, ({ category }) => CATEGORY_IDS.indexOf(category)),
      masks: objects.map(({ box }) => boxToRle(box, 120, 150)),
    },
  };
}

it('writes results as Detectron2 does', () => {
  const results = cocoResults([perfect(1)], CATEGORY_IDS);
  expect(results.map(({ segmentation, ...rest }) => rest)).toEqual([
    { image_id: 1, category_id: 21, bbox: [10, 10, 20, 20], score: Math.fround(0.9) },
    { image_id: 1, category_id: 7, bbox: [50, 20, 40, 40], score: Math.fround(0.8) },
  ]);
  expect(results[0].segmentation).toMatchObject({ size: [120, 150], counts: expect.any(String) });
  expect(JSON.parse(JSON.stringify(results))).toEqual(results);
  const { masks, ...found } = perfect(1).found;
  const boxesOnly = cocoResults([{ image: 1, found }], CATEGORY_IDS);
  expect(masks).toHaveLength(boxesOnly.length);
  expect(boxesOnly.every((result) => !('segmentation' in result))).toBe(true);
});

describe.each(['bbox', 'segm'] as const)('%s', (type) => {
  it('is worth 100 when all is found, and nothing can be said where nothing is', () => {
    const results = cocoResults([perfect(1), perfect(2)], CATEGORY_IDS);
    const { figures, categories, table } = evaluateDetections(truth(), results, type);
    // 400, 1,600 and 6,600 pixels: small, medium, and medium too; none is large.
    expect(figures).toEqual({ AP: ALL, AP50: ALL, AP75: ALL, APs: ALL, APm: ALL, APl: Number.NaN });
    expect(categories.map(({ name, figures: { AP } }) => [name, AP])).toEqual([
      ['category 3', Number.NaN],
      ['category 7', ALL],
      ['category 21', ALL],
    ]);
    expect(table.split('\n')).toHaveLength(12);
  });

  it('is worth the share of recall levels that are reached', () => {
    const { figures, categories } = evaluateDetections(
      truth(),
      cocoResults([perfect(1)], CATEGORY_IDS),
      type,
    );
    // One of two objects of category 7: the 51 recall levels up to one half.
    const half = (100 * 51) / 101;
    expect(categories[1].figures.AP).toBeCloseTo(half, 10);
    expect(figures.AP).toBeCloseTo((half + 100) / 2, 10);
  });

  it('is worth nothing when nothing was found', () => {
    const { figures } = evaluateDetections(truth(), [], type);
    expect([figures.AP, figures.AP50, figures.APl]).toEqual([0, 0, Number.NaN]);
  });

  it('falls with boxes that are off', () => {
    const { found } = perfect(2);
    for (const i of [0, 2]) found.boxes[i] += 10;
    const shifted = { image: 2, found: { ...found, masks: [boxToRle([15, 5, 60, 110], 120, 150)] } };
    const results = cocoResults([perfect(1), shifted], CATEGORY_IDS);
    const { figures } = evaluateDetections(truth(), results, type);
    // An IoU of 50/70 = 0.714: found at five of ten thresholds.
    expect([figures.AP50, figures.APs]).toEqual([ALL, ALL]);
    expect(figures.AP75).toBeLessThan(100);
    expect(figures.AP).toBeGreaterThan(75);
    expect(figures.AP).toBeLessThan(90);
  });
});

it('tells masks apart by their own size, not their box’s', () => {
  const dataset: Dataset = {
    images: [{ id: 1, width: 200, height: 200 }],
    categories: [{ id: 1, name: 'thing' }],
    annotations: [
      {
        id: 1,
        image_id: 1,
        category_id: 1,
        bbox: [0, 0, 100, 100],
        area: 10_000,
        iscrowd: 0,
        segmentation: [[0, 0, 100, 0, 100, 100, 0, 100]],
      },
    ],
  };
  // A false alarm whose box is large and whose mask is small: it counts against small objects, of which there are none.
  const results = [
    {
      image_id: 1,
      category_id: 1,
      score: 0.9,
      bbox: [100, 100, 99, 99],
      segmentation: { size: [200, 200], counts: [20_100, 30, 19_870] },
    },
    {
      image_id: 1,
      category_id: 1,
      score: 0.8,
      bbox: [0, 0, 100, 100],
      segmentation: { size: [200, 200], counts: [0, ...new Array(199).fill(100), 20_100] },
    },
  ] as const;
  const evaluate = (type: 'bbox' | 'segm') =>
    evaluateDetections(new COCO(dataset), JSON.parse(JSON.stringify(results)), type).figures.APl;
  expect(evaluate('segm')).toEqual(ALL);
  expect(evaluate('bbox')).toBeCloseTo(50, 8);
});

it('names every figure', () => {
  const results = cocoResults([perfect(1), perfect(2)], CATEGORY_IDS);
  const evaluations = (['bbox', 'segm'] as const).map((type) => evaluateDetections(truth(), results, type));
  const figures = new Map(namedFigures(evaluations));
  expect([...figures.keys()].slice(0, 9)).toEqual([
    ...['bbox/AP', 'bbox/AP50', 'bbox/AP75', 'bbox/APs', 'bbox/APm', 'bbox/APl'],
    ...['bbox/AP-category 3', 'bbox/AP-category 7', 'bbox/AP-category 21'],
  ]);
  expect(figures.get('segm/AP50')).toEqual(ALL);
});
