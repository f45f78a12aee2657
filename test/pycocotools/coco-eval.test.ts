/** Evaluation of cases made by hand; expected figures are those of pycocotools 2.0.11. */

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { sortByScore, upTo } from '../../src/pycocotools/evaluation/order.js';
import { CORRECTIONS } from '../../src/pycocotools/evaluation/params.js';
import { precisionCurve } from '../../src/pycocotools/evaluation/per-category.js';
import {
  type Annotation,
  COCO,
  COCOeval,
  type Dataset,
  type IouType,
  type Params,
  type Result,
} from '../../src/pycocotools/index.js';

const BOX = [10, 10, 20, 20];
let nextId = 1;
const truth = (bbox: number[] = BOX, more: Partial<Annotation> = {}): Annotation => ({
  id: nextId++,
  image_id: 1,
  category_id: 1,
  bbox,
  area: bbox[2] * bbox[3],
  iscrowd: 0,
  ...more,
});
const found = (score: number, bbox: number[] = BOX, more: Partial<Result> = {}): Result => ({
  image_id: 1,
  category_id: 1,
  score,
  bbox,
  ...more,
});

function evaluate(
  annotations: Annotation[],
  results: Result[],
  {
    categories = 1,
    type = 'bbox',
    adjust = () => {},
  }: { categories?: number; type?: IouType; adjust?: (params: Params) => void } = {},
): COCOeval {
  const dataset: Dataset = {
    images: [{ id: 1, width: 100, height: 100 }],
    categories: Array.from({ length: categories }, (_, i) => ({ id: i + 1, name: `category ${i + 1}` })),
    annotations,
  };
  const coco = new COCO(dataset, 'gt.json');
  const evaluation = new COCOeval(coco, coco.loadRes(results, 'dt.json'), type);
  adjust(evaluation.params);
  evaluation.evaluate();
  evaluation.accumulate();
  evaluation.summarize();
  return evaluation;
}

const FAR = [60, 60, 20, 20];
const correct =
  (...names: readonly (typeof CORRECTIONS)[number][]) =>
  (params: Params) => {
    for (const name of names) params.corrections[name] = true;
  };

describe('COCOeval', () => {
  it('of one perfect detection is 1 - 2^-53 and a little less', () => {
    const { stats } = evaluate([truth()], [found(0.9)]);
    expect(stats).toEqual([
      0.9999999999999998, 0.9999999999999999, 0.9999999999999999, 0.9999999999999998, -1, -1, 1, 1, 1, 1, -1,
      -1,
    ]);
  });

  it('takes a match with the id 0 for none, unless corrected', () => {
    const annotations = [truth(BOX, { id: 0 })];
    expect(evaluate(annotations, [found(0.9)]).stats[0]).toBe(0);
    expect(evaluate(annotations, [found(0.9)], { adjust: correct('idZero') }).stats[0]).toBe(
      0.9999999999999998,
    );
    const two = evaluate([truth(BOX, { id: 0 }), truth(FAR, { id: 1 })], [found(0.9), found(0.8, FAR)]);
    expect([two.stats[0], two.stats[6], two.stats[8]]).toEqual([0.2524752475247525, 0, 0.5]);
  });

  it('lets a crowd absorb detections', () => {
    const annotations = [truth([40, 40, 50, 50], { iscrowd: 1 }), truth()];
    const results = [found(0.5), found(0.9, [45, 45, 10, 10]), found(0.8, [60, 60, 10, 10])];
    const { stats } = evaluate(annotations, results);
    expect(stats[0]).toBeCloseTo(1, 12);
    expect([stats[6], stats[7]]).toEqual([0, 1]);
  });

  it('keeps the order of the file among equal scores', () => {
    expect(evaluate([truth()], [found(0.9, FAR), found(0.5)]).stats[0]).toBe(0.5);
    expect(evaluate([truth()], [found(0.5, FAR), found(0.5)]).stats[0]).toBe(0.5);
    expect(evaluate([truth()], [found(0.5), found(0.5, FAR)]).stats[0]).toBeCloseTo(1, 12);
  });

  it('averages over categories that have ground truth', () => {
    const annotations = [truth(), truth(BOX, { category_id: 2 })];
    expect(evaluate(annotations, [found(0.9)], { categories: 2 }).stats[0]).toBe(0.4999999999999999);
    const other = evaluate([truth()], [found(0.9), found(0.9, BOX, { category_id: 2 })], { categories: 2 });
    expect(other.stats[0]).toBeCloseTo(1, 12);
    // A category that the ground truth does not know is not evaluated.
    expect(evaluate([truth()], [found(0.9), found(0.95, BOX, { category_id: 77 })]).stats[0]).toBeCloseTo(
      1,
      12,
    );
  });

  it('overwrites the field ignore, unless corrected', () => {
    const annotations = () => [truth(), truth(FAR, { ignore: 1 })];
    expect(evaluate(annotations(), [found(0.9)]).stats[0]).toBe(0.5049504950495048);
    expect(evaluate(annotations(), [found(0.9)], { adjust: correct('ignoreField') }).stats[0]).toBeCloseTo(
      1,
      12,
    );
  });

  it('matches the later of two equal truths', () => {
    const evaluation = evaluate([truth(BOX, { id: 1 }), truth(BOX, { id: 2 })], [found(0.9)]);
    expect(evaluation.stats[0]).toBe(0.5049504950495048);
    expect(evaluation.evalImgs[0]?.dtMatches[0]).toEqual([2]);
    expect(evaluation.evalImgs[0]?.gtMatches[0]).toEqual([0, 1]);
  });

  it('has the number 100 in its first line, unless corrected', () => {
    const adjust = (params: Params) => {
      params.maxDets = [1, 10, 300];
    };
    expect(evaluate([truth()], [found(0.9)], { adjust }).stats[0]).toBe(-1);
    const both = (params: Params) => {
      adjust(params);
      correct('maxDets')(params);
    };
    expect(evaluate([truth()], [found(0.9)], { adjust: both }).stats[0]).toBeCloseTo(1, 12);
  });

  it('gives 1 for perfect detections without the epsilon', () => {
    expect(evaluate([truth()], [found(0.9)], { adjust: correct(...CORRECTIONS) }).stats[0]).toBe(1);
  });

  it('counts an area of exactly 32^2 as small and as medium', () => {
    const { stats } = evaluate([truth([10, 10, 32, 32])], [found(0.9, [10, 10, 32, 32])]);
    expect([stats[3], stats[4], stats[5]].map((value) => value > 0.99)).toEqual([true, true, false]);
  });

  it.each([
    [57, 0.5643564356435643],
    [58, 0.5841584158415841],
  ])('with %d of 100 truths found, meets the recalls of the exact grid', (hits, expected) => {
    const place = (i: number) => [(i % 10) * 10, Math.floor(i / 10) * 10, 5, 5];
    const annotations = Array.from({ length: 100 }, (_, i) => truth(place(i)));
    const results = Array.from({ length: hits }, (_, i) => found(1 - i / 1000, place(i)));
    expect(evaluate(annotations, results).stats[0]).toBe(expected);
  });

  it('without results has zeros, where pycocotools fails', () => {
    expect(evaluate([truth()], []).stats).toEqual([0, 0, 0, 0, -1, -1, 0, 0, 0, 0, -1, -1]);
    expect(evaluate([], []).stats).toEqual(new Array(12).fill(-1));
  });

  it('of boundaries is not above that of masks', () => {
    const square = (left: number) => [[left, 10, left + 40, 10, left + 40, 50, left, 50]];
    const annotations = [truth([10, 10, 40, 40], { segmentation: square(10) })];
    const shifted = [found(0.9, [14, 10, 40, 40], { segmentation: square(14) })];
    const segm = evaluate(annotations, shifted, { type: 'segm' }).stats;
    const boundary = evaluate(annotations, shifted, { type: 'boundary' }).stats;
    expect(boundary[0]).toBeLessThan(segm[0]);
    const same = [found(0.9, [10, 10, 40, 40], { segmentation: square(10) })];
    expect(evaluate(annotations, same, { type: 'boundary' }).stats[0]).toBeCloseTo(1, 12);
  });

  it('takes more thresholds than fit into 32 bits', () => {
    const adjust = (params: Params) => {
      params.iouThrs = Array.from({ length: 70 }, (_, i) => 0.3 + i / 100);
    };
    const shifted = [found(0.9, [12, 10, 20, 20])];
    const evaluation = evaluate([truth()], shifted, { adjust });
    // IoU = 18 / 22 = 0.818...: thresholds 0.30 to 0.81.
    const reached = evaluation.params.iouThrs.filter((iouThr) => {
      const curve = precisionCurve(evaluation.eval as never, evaluation.params, 0, iouThr);
      return curve[100] > 0.5;
    });
    expect(reached).toHaveLength(52);
  });

  it('evaluates all categories as one when told so', () => {
    const adjust = (params: Params) => {
      params.useCats = false;
    };
    const evaluation = evaluate([truth()], [found(0.9, BOX, { category_id: 2 })], { categories: 2, adjust });
    expect(evaluation.stats[0]).toBeCloseTo(1, 12);
    expect(evaluation.evalImgs[0]?.category_id).toBe(-1);
  });

  it.each([
    [
      'of an unknown image',
      [truth(BOX, { id: 1, image_id: 9 })],
      [],
      'annotation 1 is of image_id 9, which is not in images',
    ],
    [
      'of an unknown category',
      [truth(BOX, { id: 1, category_id: 9 })],
      [],
      'annotation 1 is of category_id 9',
    ],
    ['with an id twice', [truth(BOX, { id: 4 }), truth(BOX, { id: 4 })], [], 'two annotations have the id 4'],
    [
      'without area',
      [truth(BOX, { id: 1, area: undefined as never })],
      [],
      'gt.json: area: annotation 1 needs a finite number',
    ],
    [
      'with NaN in its box',
      [truth([1, 2, Number.NaN, 4], { id: 1, area: 1 })],
      [found(1)],
      'annotation 1 needs four finite numbers',
    ],
    [
      'with a text as its box',
      [truth(BOX, { id: 1, bbox: 'x' as never })],
      [],
      'annotation 1 needs [x, y, width, height]',
    ],
    [
      'without score',
      [truth()],
      [found(undefined as never)],
      'dt.json: score: annotation 1 needs a finite number',
    ],
    [
      'with the score NaN',
      [truth()],
      [found(Number.NaN)],
      'dt.json: score: annotation 1 needs a finite number',
    ],
  ])('refuses an annotation %s', (_, annotations, results, problem) => {
    expect(() => evaluate(annotations, results)).toThrow(problem);
  });

  it('refuses masks that do not fit their image', () => {
    const mask = (height: number, width: number) => ({
      size: [height, width] as [number, number],
      counts: [0, height * width],
    });
    const annotations = [truth(BOX, { id: 1, segmentation: mask(100, 100) })];
    const turned = [found(0.9, BOX, { segmentation: mask(50, 200) })];
    expect(() => evaluate(annotations, turned, { type: 'segm' })).toThrow(
      'annotation 1 has a mask of 50 x 200 (rows x columns) on an image of 100 x 100',
    );
  });

  it('refuses ranges without labels', () => {
    const adjust = (params: Params) => void params.areaRng.push([0, 5]);
    expect(() => evaluate([truth()], [], { adjust })).toThrow('5 ranges of areas, but 4 labels');
  });
});

describe('sortByScore', () => {
  it('is stable and descending for few and for many', () => {
    const random = new RandomStream(7, 'sort');
    for (const count of [0, 1, 100, 20_000]) {
      const scores = Float64Array.from({ length: count }, () => {
        const kind = random.integer(0, 4);
        if (kind === 0) return random.integer(-3, 4) / 4;
        if (kind === 1) return -0;
        if (kind === 2) return -random.uniform() * 1e-300;
        return Math.fround(random.between(-1, 1));
      });
      const expected = [...upTo(count)].sort((a, b) => scores[b] - scores[a] || a - b);
      expect([...sortByScore(upTo(count), scores)]).toEqual(expected);
    }
  });
});

it('refuses curves of more categories than memory should hold, before it takes any', () => {
  const categories = Array.from({ length: 20_000 }, (_, i) => ({ id: i + 1, name: `c${i}` }));
  const truth = new COCO({ images: [{ id: 1, width: 9, height: 9 }], annotations: [], categories } as never);
  const evaluation = new COCOeval(truth, truth.loadRes([]), 'bbox');
  evaluation.evaluate();
  expect(() => evaluation.accumulate()).toThrow(
    /the curves of 20000 categories would take 3.9 GB; 1.5 GB is the limit/,
  );
});
