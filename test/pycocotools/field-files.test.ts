/** Files as people have them: names for ids, nulls, missing fields, results of other categories. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EvaluateFilesOptions, evaluateFiles } from '../../src/pycocotools/files/evaluate-files.js';
import { COCO, COCOeval, type Dataset } from '../../src/pycocotools/index.js';
import { randomCase } from './random-dataset.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const SIZE = { images: 8, categories: 3, objects: 6, detections: 9 };

type Entry = Record<string, unknown>;
type Pair = { truth: Dataset; entries: Entry[] };

function pair(kind: 'bbox' | 'segm' | 'keypoints'): Pair {
  const { dataset, results } = randomCase(21, SIZE);
  return structuredClone({ truth: dataset, entries: results[kind] as unknown as Entry[] });
}

async function stats({ truth, entries }: Pair, options: Partial<EvaluateFilesOptions> = {}) {
  const [gt, dt] = [join(folder, 'gt.json'), join(folder, 'dt.json')];
  await writeFile(gt, JSON.stringify(truth));
  await writeFile(dt, JSON.stringify(entries));
  const { summary } = await evaluateFiles({ gt, dt, iouType: 'bbox', ...options });
  return summary.map(({ value }) => value);
}

/** Other names for all images, in both files. */
function renamed({ truth, entries }: Pair, name: (id: unknown) => unknown): Pair {
  return {
    truth: {
      ...truth,
      images: truth.images?.map((image) => ({ ...image, id: name(image.id) as string })),
      annotations: truth.annotations?.map((one) => ({ ...one, image_id: name(one.image_id) as string })),
    } as Dataset,
    entries: entries.map((entry) => ({ ...entry, image_id: name(entry.image_id) })),
  };
}

describe('ids of images', () => {
  it('may be any texts', async () => {
    const plain = await stats(pair('bbox'));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.string(), { minLength: 8, maxLength: 8 }), async (names) => {
        const ids = pair('bbox').truth.images?.map(({ id }) => id) ?? [];
        const named = renamed(pair('bbox'), (id) => names[ids.indexOf(id as number)] ?? `other ${id}`);
        expect(await stats(named)).toEqual(plain);
      }),
      { numRuns: 15 },
    );
  });

  it('may be texts in COCO and COCOeval too', async () => {
    const { truth, entries } = renamed(pair('bbox'), (id) => `${id}.jpg`);
    const coco = new COCO(truth);
    expect(coco.getImgIds()).toEqual(truth.images?.map(({ id }) => id));
    const evaluation = new COCOeval(coco, coco.loadRes(entries as never), 'bbox');
    evaluation.evaluate();
    evaluation.accumulate();
    evaluation.summarize();
    expect(evaluation.stats).toEqual(await stats(pair('bbox')));
    expect(evaluation.evalImgs.find((record) => record !== null)?.image_id).toMatch(/^\d+\.jpg$/);
  });

  it('of 64 bits that are one double stay two', async () => {
    const digits = (id: unknown) => 1_627_386_746_123_456_000n + BigInt(id as number);
    const spelt = renamed(pair('bbox'), (id) => `<${digits(id)}>`);
    const unquoted = (value: unknown) => JSON.stringify(value).replaceAll(/"<(\d+)>"/g, '$1');
    const [gt, dt] = [join(folder, 'long-gt.json'), join(folder, 'long-dt.json')];
    await writeFile(gt, unquoted(spelt.truth));
    await writeFile(dt, unquoted(spelt.entries));
    const { summary } = await evaluateFiles({ gt, dt, iouType: 'bbox' });
    expect(summary.map(({ value }) => value)).toEqual(await stats(pair('bbox')));
    expect(() => COCO.open(gt)).toThrow('write such ids as texts');
  });

  it('are compared with their type', async () => {
    const { truth, entries } = pair('bbox');
    const texts = entries.map((entry) => ({ ...entry, image_id: String(entry.image_id) }));
    await expect(stats({ truth, entries: texts })).rejects.toThrow('"7" is not 7');
  });
});

describe('what an evaluation does not use may be anything', () => {
  const anything = fc.constantFrom(null, 'text', {}, [], true, [['x']], -3.5);

  it('in results: loadRes overwrites it', async () => {
    const plain = await stats(pair('bbox'));
    const unused = fc.record({ id: anything, area: anything, iscrowd: anything, segmentation: anything });
    await fc.assert(
      fc.asyncProperty(unused, fc.boolean(), async (fields, all) => {
        const { truth, entries } = pair('bbox');
        const spoilt = entries.map((entry, i) => (all || i > 0 ? { ...entry, ...fields } : entry));
        expect(await stats({ truth, entries: spoilt })).toEqual(plain);
      }),
      { numRuns: 30 },
    );
  });

  it('in the ground truth', async () => {
    const plain = await stats(pair('bbox'));
    const unused = fc.record({
      score: anything,
      ignore: anything,
      num_keypoints: anything,
      keypoints: anything,
      segmentation: anything,
    });
    await fc.assert(
      fc.asyncProperty(unused, async (fields) => {
        const { truth, entries } = pair('bbox');
        const annotations = truth.annotations?.map((one) => ({ ...one, ...fields })) as never;
        expect(await stats({ truth: { ...truth, annotations }, entries })).toEqual(plain);
      }),
      { numRuns: 30 },
    );
  });

  it('but `ignore` must be clear where it counts', async () => {
    const { truth, entries } = pair('bbox');
    const annotations = truth.annotations?.map((one) => ({ ...one, ignore: 'perhaps' })) as never;
    const options: Partial<EvaluateFilesOptions> = {
      adjust: (params) => {
        params.corrections = { ...params.corrections, ignoreField: true };
      },
    };
    await expect(stats({ truth: { ...truth, annotations }, entries }, options)).rejects.toThrow(
      /ignore: annotation \d+ needs 0 or 1/,
    );
  });
});

describe('what is compared must be there', () => {
  it.each(['segm', 'boundary'] as const)('a box is no mask of a ground truth: %s', async (iouType) => {
    const { truth, entries } = pair('segm');
    const annotations = truth.annotations?.map((one, i) =>
      i === 3 ? { ...one, segmentation: undefined } : one,
    ) as never;
    const { id } = truth.annotations?.[3] ?? {};
    await expect(stats({ truth: { ...truth, annotations }, entries }, { iouType })).rejects.toThrow(
      `segmentation: annotation ${id} has no mask`,
    );
  });

  it('points are counted where nobody has', async () => {
    const plain = await stats(pair('keypoints'), { iouType: 'keypoints' });
    const { truth, entries } = pair('keypoints');
    const annotations = truth.annotations?.map(({ num_keypoints: _, ...one }) => one) as never;
    expect(await stats({ truth: { ...truth, annotations }, entries }, { iouType: 'keypoints' })).toEqual(
      plain,
    );
  });

  it('of a category without results, points are not asked for', async () => {
    const { truth, entries } = pair('keypoints');
    const category = { id: 77, name: 'car' };
    const [first] = truth.annotations ?? [];
    const car = { ...first, id: 9999, category_id: 77, keypoints: [], num_keypoints: 0 };
    const more = {
      ...truth,
      categories: [...(truth.categories ?? []), category],
      annotations: [...(truth.annotations ?? []), car],
    };
    expect(await stats({ truth: more, entries }, { iouType: 'keypoints' })).toEqual(
      await stats(pair('keypoints'), { iouType: 'keypoints' }),
    );
  });

  it('results of unknown categories are counted, and refused when there is nothing else', async () => {
    const { truth, entries } = pair('bbox');
    const [gt, dt] = [join(folder, 'gt.json'), join(folder, 'dt.json')];
    await writeFile(gt, JSON.stringify(truth));
    await writeFile(
      dt,
      JSON.stringify(entries.map((one, i) => (i < 2 ? { ...one, category_id: 5000 + i } : one))),
    );
    const { unknown } = await evaluateFiles({ gt, dt, iouType: 'bbox' });
    expect(unknown).toMatchObject({ ids: expect.arrayContaining([5000, 5001]) });
    const shifted = entries.map((one) => ({ ...one, category_id: 900 }));
    await expect(stats({ truth, entries: shifted })).rejects.toThrow('no result is of a category');
  });
});

it('names a category without a name by its id', async () => {
  const { perCategory } = await import('../../src/pycocotools/index.js');
  const { truth, entries } = pair('bbox');
  const categories = truth.categories?.map(({ id }, i) => ({
    id,
    ...[{}, { name: null }, { name: 7 }][i],
  })) as never;
  const coco = new COCO({ ...truth, categories });
  const evaluation = new COCOeval(coco, coco.loadRes(entries as never), 'bbox');
  evaluation.evaluate();
  const names = perCategory(evaluation.accumulate(), evaluation.params, categories).map(
    ({ category }) => category.name,
  );
  const ids = truth.categories?.map(({ id }) => String(id)) ?? [];
  expect(names).toEqual([ids[0], ids[1], '7']);
});

it('says that the files may have been exchanged', async () => {
  const { truth, entries } = pair('bbox');
  await expect(stats({ truth: entries as never, entries })).rejects.toThrow('exchanged');
  await expect(stats({ truth, entries: truth as never })).rejects.toThrow('exchanged');
});

it('reads results from a pipe, with one thread', async () => {
  const { truth, entries } = pair('bbox');
  const plain = await stats({ truth, entries });
  const fifo = join(folder, 'results.fifo');
  await promisify(execFile)('mkfifo', [fifo]);
  // Opening a pipe waits for its other end: that must be there first.
  const writer = promisify(execFile)('sh', ['-c', `cat '${join(folder, 'dt.json')}' > '${fifo}'`]);
  const gt = join(folder, 'gt.json');
  const { summary } = await evaluateFiles({ gt, dt: fifo, iouType: 'bbox', threads: 4 });
  await writer;
  expect(summary.map(({ value }) => value)).toEqual(plain);
});
