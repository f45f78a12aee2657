import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { type LiveLog, SILENT } from '../../src/core/log.js';
import { type DetectionDatasetOptions, openDetectionDataset } from '../../src/data/detection-dataset.js';
import { imageId, objectsOf } from '../../src/data/detection-records.js';
import type { Dataset } from '../../src/pycocotools/dataset/types.js';
import { temporaryFolder } from '../image/pictures.js';
import { annotation, writeAnnotations, writeImages } from './detection-data.js';

const folder = await temporaryFolder();
process.env.SCRL_HOME = join(folder, 'home');
const images = await writeImages(folder, [
  [40, 30],
  [30, 40],
  [50, 50],
]);
const CATEGORIES = [
  { id: 90, name: 'cup' },
  { id: 3, name: 'cat' },
];

let written = 0;
async function open(dataset: Dataset, options: Partial<DetectionDatasetOptions> = {}) {
  const lines: string[] = [];
  const log: LiveLog = { ...SILENT, info: (line) => lines.push(line), warn: (line) => lines.push(line) };
  const annotations = writeAnnotations(join(folder, `set-${written++}`), {
    images,
    categories: CATEGORIES,
    ...dataset,
  });
  const root = join(folder, 'images');
  const opened = await openDetectionDataset({ annotations, images: root, masks: false, log, ...options });
  return { ...opened, said: lines.map((line) => line.replaceAll(annotations, 'FILE')) };
}

/** The message of the `UserError` that opening ends with, without the path of the file. */
async function refusal(dataset: Dataset, options: Partial<DetectionDatasetOptions> = {}): Promise<string> {
  const error = await open(dataset, options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message.replace(/^.*annotations\.json: /, '');
}

const FINE = annotation(1, 0, [5, 5, 10, 10]);

describe('openDetectionDataset', () => {
  it('gives corners, contiguous classes in the order of ids, crowds and shapes', async () => {
    const runs = { size: [30, 40] as [number, number], counts: [31, 5, 1164] };
    const { records, classes, count, fileOf, files } = await open(
      {
        annotations: [
          annotation(7, 1, [1, 2, 3, 4], { category_id: 90 }),
          annotation(8, 0, [0.5, 0, 10.25, 20]),
          annotation(9, 0, [1, 1, 1, 5], { iscrowd: 1, segmentation: runs }),
        ],
      },
      { masks: true },
    );
    expect(classes).toEqual(['cat', 'cup']);
    expect(count).toBe(2);
    expect(Array.from(fileOf, (file) => files.name(file))).toEqual(['0.jpg', '1.jpg']);
    const first = objectsOf(records, 0);
    expect([...first.ids]).toEqual([8, 9]);
    expect([...first.boxes]).toEqual([0.5, 0, 10.75, 20, 1, 1, 2, 6]);
    expect([...first.classes]).toEqual([0, 0]);
    expect([...first.crowd]).toEqual([0, 1]);
    expect(first.outlines).toEqual([
      { polygons: [Float64Array.of(0.5, 0, 10.75, 0, 10.75, 20, 0.5, 20)] },
      { runs: { height: 30, width: 40, counts: Uint32Array.of(31, 5, 1164) } },
    ]);
    expect([...objectsOf(records, 1).classes]).toEqual([1]);
  });

  it('leaves out images without anything to learn from, or keeps them', async () => {
    const annotations = [FINE, annotation(2, 1, [0, 0, 9, 9], { iscrowd: 1 })];
    const { count, said } = await open({ annotations });
    expect(count).toBe(1);
    expect(said).toEqual(['FILE: 2 images without objects are left out, as there is nothing to learn from']);
    expect((await open({ annotations }, { keepEmpty: true })).count).toBe(3);
  });

  it('reads absolute file names where they are, and ids that are texts', async () => {
    const named = [{ ...images[0], id: 'zero', file_name: join(folder, 'images', '0.jpg') }];
    const own = { ...FINE, image_id: 'zero' };
    const { files, fileOf, records } = await open({ images: named, annotations: [own] });
    expect(files.path(fileOf[0])).toBe(join(folder, 'images', '0.jpg'));
    expect(imageId(records, 0)).toBe('zero');
  });

  it('says all faults at once, with file and id', async () => {
    writeFileSync(join(folder, 'images', 'damaged.jpg'), 'no picture');
    const faulty = [
      images[0],
      { ...images[1], width: 40, height: 30 },
      { id: 2, width: 50, height: 49, file_name: '2.jpg' },
      { id: 3, width: 9, height: 9, file_name: 'missing.jpg' },
      { id: 4, width: 9, height: 9, file_name: 'damaged.jpg' },
    ];
    const annotations = [
      FINE,
      annotation(2, 0, [5, 5, 0, 10]),
      annotation(3, 0, [40, 5, 10, 10]),
      annotation(4, 0, [35, 5, 20, 10]),
      annotation(5, 0, [5, 5, 9, 9], { category_id: 4 }),
      annotation(6, 77, [5, 5, 9, 9]),
      { id: 7, image_id: 0, category_id: 3 },
    ];
    const message = await refusal({ images: faulty, annotations });
    expect(message.split('\n  ')).toEqual([
      'the data set has 10 faults',
      '2 files that cannot be used:',
      '  image 3 (missing.jpg): there is no such file',
      '  image 4 (damaged.jpg): no picture in a format that is read, or its header is damaged',
      '2 images of another size than the annotations say:',
      '  image 1 (1.jpg): 30 x 40 pixels once it is upright (EXIF), 40 x 30 in the annotations',
      '  image 2 (2.jpg): 50 x 50 pixels, 50 x 49 in the annotations',
      '2 annotations of images or categories that are not listed:',
      '  annotation 6: there is no image 77',
      '  annotation 5 of image 0 (0.jpg): there is no category 4',
      '4 boxes of no area or outside the image:',
      '  annotation 2 of image 0 (0.jpg): box [5, 5, 0, 10] has no area',
      '  annotation 3 of image 0 (0.jpg): box [40, 5, 10, 10] lies outside the image of 40 x 30',
      '  annotation 4 of image 0 (0.jpg): box [35, 5, 20, 10] lies mostly outside the image of 40 x 30',
      '  annotation 7 of image 0 (0.jpg): it has no box',
      'mend the annotations or the images, or leave these out with --dataset/skip_invalid true',
    ]);
    const { count, records, said } = await open({ images: faulty, annotations }, { skipInvalid: true });
    expect(count).toBe(1);
    expect([...objectsOf(records, 0).ids]).toEqual([1]);
    expect(said[0]).toMatch(/^FILE: what has a fault is left out\n {2}2 files that cannot be used:/);
  });

  it('cuts a long list and counts the rest', async () => {
    const many = Array.from({ length: 50 }, (_, i) => annotation(i, 0, [5, 5, 0, 0]));
    const lines = (await refusal({ annotations: many })).split('\n  ');
    expect(lines).toHaveLength(2 + 20 + 2);
    expect(lines.at(-2)).toBe('  and 30 more');
  });

  it('finds masks that are missing, damaged or of another size', async () => {
    const runs = (size: number[], counts: unknown) => ({ segmentation: { size, counts } });
    const annotations = [
      FINE,
      annotation(2, 0, [5, 5, 9, 9], { segmentation: undefined }),
      annotation(3, 0, [5, 5, 9, 9], runs([40, 30], [1200])),
      annotation(4, 0, [5, 5, 9, 9], runs([30, 40], [1, 1300])),
      annotation(5, 0, [5, 5, 9, 9], { iscrowd: 1, segmentation: undefined }),
    ];
    const lines = (await refusal({ annotations }, { masks: true })).split('\n  ');
    expect(lines.slice(2, 5)).toEqual([
      '  annotation 2 of image 0 (0.jpg): it has no mask',
      '  annotation 3 of image 0 (0.jpg): its mask is 30 x 40, the image 40 x 30',
      '  annotation 4 of image 0 (0.jpg): its mask covers 1301 pixels of 40 x 30',
    ]);
    const bare = [annotation(1, 0, [1, 1, 5, 5], { segmentation: [] })];
    expect(await refusal({ annotations: bare }, { masks: true })).toMatch('no annotation has a mask');
    expect((await open({ annotations: bare })).count).toBe(1);
  });

  it('mends what is odd as Detectron2 does, and counts it', async () => {
    const { records, said } = await open(
      {
        categories: CATEGORIES.map((category) => ({ ...category, name: 'same', keypoints: ['nose'] })),
        annotations: [
          annotation(1, 0, [-3, 5, 20, 10]),
          annotation(2, 0, [5, 5, 35.9, 10]),
          annotation(3, 0, [5, 5, 9, 9], { segmentation: [[1, 2, 3, 4], [1, 1, 9, 1, 9, 9], [1]] }),
          annotation(4, 0, [5, 5, 9, 9], { segmentation: [[1, 2, 3, 4]] }),
          annotation(5, 1, [5, 5, 9, 9]),
          annotation(6, 2, [5, 5, 9, 9]),
        ],
      },
      { masks: true },
    );
    expect([...objectsOf(records, 0).ids]).toEqual([1, 2, 3]);
    expect(said).toEqual([
      'FILE: 1 categories have a name that another one has too',
      'FILE: 2 categories have keypoints, which are ignored',
      'FILE: 1 boxes that end outside their image are clipped',
      'FILE: 3 polygons of fewer than three points are left out',
      'FILE: 1 objects without a polygon of three points are left out',
    ]);
  });

  it('refuses what cannot be learned from', async () => {
    expect(await refusal({ annotations: [] })).toMatch('holds no annotations');
    const crowd = annotation(1, 0, [5, 5, 9, 9], { iscrowd: 1 });
    expect(await refusal({ annotations: [crowd] })).toMatch('holds only crowd annotations, 1 of them');
    expect(await refusal({ annotations: [FINE], categories: [] })).toMatch('there are no categories');
    const nameless = [{ id: 3, name: '' }];
    expect(await refusal({ annotations: [FINE], categories: nameless })).toMatch('category 3 has no name');
    const twice = { images: [images[0], images[0]], annotations: [FINE] };
    expect(await refusal(twice, { skipInvalid: true })).toMatch('two images have the same id');
  });

  it('takes a thousand classes, and one', async () => {
    const categories = Array.from({ length: 1000 }, (_, i) => ({ id: 3 * i, name: `class ${i}` }));
    const own = annotation(1, 0, [1, 1, 5, 5], { category_id: 2997 });
    const { records, classes } = await open({ categories, annotations: [own] });
    expect(classes).toHaveLength(1000);
    expect([...objectsOf(records, 0).classes]).toEqual([999]);
    expect((await open({ categories: [{ id: 3, name: 'one' }], annotations: [FINE] })).classes).toEqual([
      'one',
    ]);
  });
});
