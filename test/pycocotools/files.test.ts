/** Evaluation of files: the same figures as of objects, and errors that say where. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateFiles } from '../../src/pycocotools/files/evaluate-files.js';
import { COCO, COCOeval, type Dataset, type IouType } from '../../src/pycocotools/index.js';
import { randomCase } from './random-dataset.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

describe('evaluateFiles', () => {
  it.each(['bbox', 'segm', 'keypoints', 'boundary'] as const)(
    'gives the figures of COCOeval: %s',
    async (iouType) => {
      const { dataset, results } = randomCase(11, { images: 30, categories: 4, objects: 8, detections: 20 });
      const entries = results[iouType === 'boundary' ? 'segm' : iouType];
      const gt = await write('gt.json', dataset);
      const dt = await write('dt.json', entries);
      const files = await evaluateFiles({ gt, dt, iouType, threads: 1 });
      const coco = COCO.open(gt);
      const objects = new COCOeval(coco, coco.loadRes(dt), iouType);
      objects.evaluate();
      expect(files.curves).toEqual(objects.accumulate());
      expect(files.summary).toEqual(objects.summary());
    },
  );

  it('takes boxes and areas of masks where results have nothing else', async () => {
    const { dataset, results } = randomCase(12, { images: 10, categories: 2, objects: 5, detections: 9 });
    const gt = await write('gt.json', dataset);
    const dt = await write('dt.json', results.segm);
    const coco = COCO.open(gt);
    const objects = new COCOeval(coco, coco.loadRes(dt), 'bbox');
    objects.evaluate();
    objects.accumulate();
    const files = await evaluateFiles({ gt, dt, iouType: 'bbox', threads: 1 });
    expect(files.summary).toEqual(objects.summary());
  });

  it('reads fields in any order, unknown ones, and escapes in keys and runs', async () => {
    const gt = await write('gt.json', {
      annotations: [
        {
          segmentation: { counts: [12, 4, 84], size: [10, 10] },
          extra: [{ id: 7 }],
          iscrowd: false,
          area: 4,
          bbox: [1, 2, 1, 4],
          category_id: 1,
          image_id: 1,
          id: 5,
        },
      ],
      nothing: [[], {}, 'x'],
      categories: [{ id: 1, name: 'one' }],
      images: [{ id: 1, width: 10, height: 10 }],
    });
    const counts = '\\u003c4d2';
    const dt = await write(
      'dt.json',
      `[{"segm\\u0065ntation":{"counts":"${counts}","size":[10,10]},"score":0.5,"category_id":1,"image_id":1}]`,
    );
    const { summary } = await evaluateFiles({ gt, dt, iouType: 'segm', threads: 1 });
    expect(summary[0].value).toBeCloseTo(1, 12);
  });

  const BASE = (): Dataset => ({
    images: [{ id: 1, width: 10, height: 10 }],
    categories: [{ id: 1, name: 'one' }],
    annotations: [
      {
        id: 5,
        image_id: 1,
        category_id: 1,
        bbox: [1, 1, 4, 4],
        area: 16,
        iscrowd: 0,
        segmentation: [[1, 1, 5, 1, 5, 5]],
      },
    ],
  });
  const annotation = (change: object): unknown => ({
    ...BASE(),
    annotations: [{ ...BASE().annotations?.[0], ...change }],
  });
  const RESULT = '{"image_id":1,"category_id":1,"score":0.5,"bbox":[1,1,4,4]}';

  it.each<[string, unknown, string, IouType, RegExp]>([
    [
      'no JSON',
      '{"images": [',
      RESULT,
      'bbox',
      /gt\.json, byte 12: the file ends where a value was expected: is it complete\?/,
    ],
    ['a list as ground truth', '[]', RESULT, 'bbox', /gt\.json, byte 0: expected an object, found "\[\]"/],
    ['no annotations', { images: [], categories: [] }, RESULT, 'bbox', /gt\.json: has no annotations/],
    [
      'the id of an image as text, where it is a number',
      annotation({ image_id: '1' }),
      RESULT,
      'bbox',
      /annotation 5 is of image_id "1", which is not in images/,
    ],
    [
      'the id of an annotation as text',
      annotation({ id: '1' }),
      RESULT,
      'bbox',
      /gt\.json, byte \d+: expected a number, found/,
    ],
    ['a broken id', annotation({ id: 1.5 }), RESULT, 'bbox', /id must be a whole number, not 1\.5/],
    [
      'no category_id',
      annotation({ category_id: undefined }),
      RESULT,
      'bbox',
      /annotation 0 of the list has no category_id/,
    ],
    [
      'a box of three',
      annotation({ bbox: [1, 2, 3] }),
      RESULT,
      'bbox',
      /byte \d+: bbox must be \[x, y, width, height\], not 3 numbers/,
    ],
    [
      'NaN',
      JSON.stringify(BASE()).replace('[1,1,4,4]', '[1,1,NaN,4]'),
      RESULT,
      'bbox',
      /byte \d+: expected a number, found "NaN/,
    ],
    [
      'infinity',
      JSON.stringify(BASE()).replace('[1,1,4,4]', '[1,1,1e999,4]'),
      RESULT,
      'bbox',
      /bbox: annotation 5 needs four finite numbers/,
    ],
    [
      'a dangling image',
      annotation({ image_id: 3 }),
      RESULT,
      'bbox',
      /annotation 5 is of image_id 3, which is not in images/,
    ],
    [
      'a polygon of two points',
      annotation({ segmentation: [[1, 1, 2, 2]] }),
      RESULT,
      'segm',
      /three points or more/,
    ],
    ['no polygon', annotation({ segmentation: [] }), RESULT, 'segm', /segmentation must have a polygon/],
    ['iscrowd 2', annotation({ iscrowd: 2 }), RESULT, 'bbox', /iscrowd must be 0 or 1, not 2/],
    ['results that are no list', BASE(), '{}', 'bbox', /dt\.json, byte 0: expected a list of results/],
    ['cut results', BASE(), `[${RESULT},{"image`, 'bbox', /dt\.json, byte 68: the file ends/],
    ['no score', BASE(), '[{"image_id":1,"category_id":1,"bbox":[1,1,4,4]}]', 'bbox', /it has no score/],
    [
      'another image',
      BASE(),
      `[${RESULT.replace('1', '77')}]`,
      'bbox',
      /results of 1 images that the ground truth does not have \(found \[77\]\)/,
    ],
    ['captions', BASE(), '[{"image_id":1,"caption":"x"}]', 'bbox', /captions cannot be evaluated/],
    [
      'no geometry',
      BASE(),
      '[{"image_id":1,"category_id":1,"score":1}]',
      'bbox',
      /neither bbox, segmentation nor keypoints/,
    ],
    [
      'a bad string of runs',
      BASE(),
      '[{"image_id":1,"category_id":1,"score":1,"segmentation":{"size":[10,10],"counts":"1 2"}}]',
      'segm',
      /byte \d+: .*unexpected byte 32 at character 1/,
    ],
    [
      'too many runs',
      BASE(),
      '[{"image_id":1,"category_id":1,"score":1,"segmentation":{"size":[10,10],"counts":[5,200]}}]',
      'segm',
      /its runs cover 205 pixels of 10 x 10/,
    ],
    [
      'no keypoints',
      BASE(),
      `[${RESULT}]`,
      'keypoints',
      /keypoints: annotation 1 needs \[x, y, v\] of 17 keypoints/,
    ],
  ])('refuses %s', async (_, truth, results, iouType, problem) => {
    const gt = await write('gt.json', truth);
    const dt = await write('dt.json', results.startsWith('{"image') ? `[${results}]` : results);
    await expect(evaluateFiles({ gt, dt, iouType, threads: 1 })).rejects.toThrow(problem);
  });

  it('refuses files that are none', async () => {
    const gt = await write('gt.json', BASE());
    await expect(evaluateFiles({ gt, dt: join(folder, 'none.json'), iouType: 'bbox' })).rejects.toThrow(
      'none.json: cannot be read',
    );
    await expect(evaluateFiles({ gt: folder, dt: gt, iouType: 'bbox', threads: 1 })).rejects.toThrow(
      'it is a folder',
    );
  });
});
