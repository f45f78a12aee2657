import { describe, expect, it } from 'vitest';
import { readDataset } from '../../src/pycocotools/dataset/open.js';
import { COCO, type Dataset, mask } from '../../src/pycocotools/index.js';
import { memorySource } from '../../src/pycocotools/json/source.js';

const DATASET: Dataset = {
  info: { description: 'a few', year: 2026 },
  images: [
    { id: 3, width: 20, height: 10, file_name: 'c.jpg' },
    { id: 1, width: 20, height: 10, file_name: 'a.jpg' },
    { id: 2, width: 20, height: 10, file_name: 'b.jpg' },
  ],
  categories: [
    { id: 5, name: 'glass', supercategory: 'kitchen' },
    { id: 7, name: 'wine glass', supercategory: 'kitchen' },
    { id: 9, name: 'person', supercategory: 'person' },
  ],
  annotations: [
    {
      id: 10,
      image_id: 1,
      category_id: 5,
      bbox: [0, 0, 4, 4],
      area: 16,
      iscrowd: 0,
      segmentation: [[0, 0, 4, 0, 4, 4, 0, 4]],
    },
    {
      id: 11,
      image_id: 2,
      category_id: 5,
      bbox: [0, 0, 5, 5],
      area: 25,
      iscrowd: 1,
      segmentation: { size: [10, 20], counts: [10, 5, 185] },
    },
    {
      id: 12,
      image_id: 2,
      category_id: 9,
      bbox: [1, 1, 6, 6],
      area: 36,
      iscrowd: 0,
      segmentation: { size: [10, 20], counts: ':5[5' },
    },
    { id: 13, image_id: 1, category_id: 9, bbox: [1, 1, 2, 2], area: 4, iscrowd: 0 },
  ],
};

describe('COCO', () => {
  const coco = new COCO(DATASET, 'gt.json');

  it('finds annotations, in the order of the images that are asked for', () => {
    expect(coco.getAnnIds()).toEqual([10, 11, 12, 13]);
    expect(coco.getAnnIds({ imgIds: [2, 1] })).toEqual([11, 12, 10, 13]);
    expect(coco.getAnnIds({ imgIds: 99 })).toEqual([]);
    expect(coco.getAnnIds({ catIds: 9 })).toEqual([12, 13]);
    expect(coco.getAnnIds({ imgIds: 2, catIds: [5, 7] })).toEqual([11]);
    expect(coco.getAnnIds({ iscrowd: true })).toEqual([11]);
    expect(coco.getAnnIds({ iscrowd: 0 })).toEqual([10, 12, 13]);
    // Both ends excluded.
    expect(coco.getAnnIds({ areaRng: [16, 36] })).toEqual([11]);
  });

  it('finds categories by whole names', () => {
    expect(coco.getCatIds()).toEqual([5, 7, 9]);
    expect(coco.getCatIds({ catNms: 'wine glass' })).toEqual([7]);
    expect(coco.getCatIds({ catNms: ['person', 'glass'] })).toEqual([5, 9]);
    expect(coco.getCatIds({ supNms: 'kitchen', catIds: [7, 9] })).toEqual([7]);
  });

  it('finds images that have all the categories', () => {
    expect(coco.getImgIds()).toEqual([3, 1, 2]);
    expect(coco.getImgIds({ catIds: 5 }).sort()).toEqual([1, 2]);
    expect(coco.getImgIds({ catIds: [5, 9], imgIds: [2, 3] })).toEqual([2]);
    expect(coco.getImgIds({ catIds: [7] })).toEqual([]);
  });

  it('loads by id', () => {
    expect(coco.loadAnns([12, 10]).map(({ id }) => id)).toEqual([12, 10]);
    expect(coco.loadCats(7)[0].name).toBe('wine glass');
    expect(coco.loadImgs([2])[0].file_name).toBe('b.jpg');
    expect(() => coco.loadImgs(8)).toThrow('there is no image with id 8');
    expect(coco.info()).toBe('description: a few\nyear: 2026');
    expect(coco.catToImgs.get(9)).toEqual([2, 1]);
  });

  it('gives masks of polygons, of runs, and of compressed runs', () => {
    expect(mask.area(mask.encode(coco.annToMask(DATASET.annotations?.[0] as never)))).toBe(16);
    expect([...coco.annToRLE(DATASET.annotations?.[1] as never).counts]).toEqual([10, 5, 185]);
    expect(coco.annToMask(DATASET.annotations?.[2] as never).data.length).toBe(200);
    expect(() => coco.annToRLE(DATASET.annotations?.[3] as never)).toThrow(
      'gt.json: segmentation: annotation 13: it has no',
    );
    const noSize = new COCO({ ...DATASET, images: [{ id: 1 }] });
    expect(() => noSize.annToRLE(DATASET.annotations?.[0] as never)).toThrow('image 1 has none');
    const short = { id: 1, image_id: 1, category_id: 5, segmentation: [[1, 2, 3, 4]] };
    expect(() => coco.annToRLE(short)).toThrow('polygon 0 has fewer than three points');
  });

  it('takes over results, and leaves them as they are', () => {
    const entry = Object.freeze({ image_id: 1, category_id: 5, score: 0.5, bbox: [1, 2, 3, 4] });
    const results = coco.loadRes([entry]);
    expect(results.dataset.annotations).toEqual([
      { ...entry, id: 1, area: 12, iscrowd: 0, segmentation: [[1, 2, 1, 6, 4, 6, 4, 2]] },
    ]);
    expect(results.dataset.images).toBe(DATASET.images);
    expect(coco.loadRes([[1, 1, 2, 3, 4, 0.5, 5]]).dataset.annotations?.[0]).toMatchObject({
      ...entry,
      area: 12,
    });
    const segm = {
      image_id: 2,
      category_id: 5,
      score: 0.5,
      segmentation: { size: [10, 20] as [number, number], counts: [10, 5, 185] },
    };
    expect(coco.loadRes([segm]).dataset.annotations?.[0]).toMatchObject({
      area: 5,
      bbox: [1, 0, 1, 5],
      iscrowd: 0,
    });
    const points = { image_id: 2, category_id: 9, score: 0.5, keypoints: [1, 2, 1, 5, 9, 1] };
    expect(coco.loadRes([points]).dataset.annotations?.[0]).toMatchObject({ area: 28, bbox: [1, 2, 4, 7] });
    const captions = coco.loadRes([{ image_id: 3, caption: 'a glass' } as never]);
    expect(captions.dataset.images?.map(({ id }) => id)).toEqual([3]);
    expect(coco.loadRes([]).dataset.annotations).toEqual([]);
  });

  it('refuses results that cannot be', () => {
    const entry = { image_id: 1, category_id: 5, score: 0.5 };
    expect(() => coco.loadRes([{ ...entry, image_id: 8, bbox: [1, 2, 3, 4] }])).toThrow(/1 images .*\[8\]/);
    expect(() => coco.loadRes([{ ...entry, image_id: '1' as never, bbox: [1, 2, 3, 4] }])).toThrow(
      'here string, in the ground truth number',
    );
    expect(() => coco.loadRes([entry])).toThrow('neither bbox, segmentation');
    expect(() => coco.loadRes([{ ...entry, bbox: [1, 2, 3, 4] }, entry])).toThrow('entry 2 has no bbox');
    expect(() => coco.loadRes([{ ...entry, segmentation: [[1, 1, 4, 1, 4, 4]] }])).toThrow(
      'entry 1 must have runs',
    );
    expect(() => coco.loadRes({} as never)).toThrow('expected an array');
    expect(() => new COCO([] as never)).toThrow('expected an object');
  });
});

describe('a file', () => {
  const read = (value: unknown) => readDataset(memorySource(Buffer.from(JSON.stringify(value)), 'gt.json'));

  it('is read as JSON.parse would', () => {
    expect(read(DATASET)).toEqual(DATASET);
    expect(read({ ...DATASET, licenses: [{ id: 1 }], extra: null })).toEqual({
      ...DATASET,
      licenses: [{ id: 1 }],
      extra: null,
    });
  });

  it.each([
    [[], 'byte 0: expected an object'],
    [{ images: {} }, 'byte 10: expected an array'],
    [{ images: [5] }, 'entry 0 of images must be an object'],
    [
      {
        annotations: [
          { id: 1, image_id: 1 },
          { id: 2.5, image_id: 1 },
        ],
      },
      'entry 1 of annotations: id must be a whole number, not 2.5',
    ],
    [{ annotations: [{ id: 1, image_id: null }] }, 'image_id must be a whole number, not null'],
    [{ annotations: [{ id: '1', image_id: 1 }] }, 'id must be a whole number, not "1"'],
    [{ images: [{ id: 2 ** 60 }] }, 'write such ids as texts'],
    [{ categories: [{ name: 'x' }] }, 'entry 0 of categories: id must be a whole number, not undefined'],
  ])('%j is refused', (value, problem) => {
    expect(() => read(value)).toThrow(problem);
  });
});
