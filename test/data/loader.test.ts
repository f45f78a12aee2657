import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { openDataset } from '../../src/data/dataset.js';
import { type LoaderOptions, loadViews, type ViewBatch } from '../../src/data/loader.js';
import { epochBatches, epochOrder } from '../../src/data/sampler.js';
import { decodeCrops } from '../../src/image/crops.js';
import { drawPair } from '../../src/views/pair.js';
import type { PhotometricDraw } from '../../src/views/photometric-draws.js';
import { temporaryFolder, writeJpeg } from '../image/pictures.js';

const folder = await temporaryFolder();
process.env.SCRL_HOME = join(folder, 'home');
const root = join(folder, 'images');
const COUNT = 23;
for (let i = 0; i < COUNT; i++) {
  await writeJpeg(join(root, i % 2 === 0 ? 'even' : 'odd', `${i}.jpg`), 40 + i, 50 - i, i);
}
const { images } = await openDataset({ root });
const SIZE = 16;

type Options = Partial<LoaderOptions<PhotometricDraw>> & { firstStep?: number; epoch?: number };

function load({
  firstStep = 0,
  epoch = 0,
  ...rest
}: Options = {}): AsyncGenerator<ViewBatch<PhotometricDraw>> {
  return loadViews({
    images,
    batches: epochBatches(epochOrder(1, epoch, images.count), { batchSize: 5, firstStep }),
    size: SIZE,
    views: 2,
    draw: (image, info) => drawPair(1, epoch, image, info, SIZE),
    seed: 1,
    epoch,
    workers: 3,
    ...rest,
  });
}

async function collect(batches: AsyncIterable<ViewBatch<PhotometricDraw>>) {
  const found: Omit<ViewBatch<PhotometricDraw>, 'waited'>[] = [];
  for await (const { waited, ...batch } of batches) {
    expect(waited).toBeGreaterThanOrEqual(0);
    found.push(batch);
  }
  return found;
}

/** Runs `work` while some files are damaged, and mends them afterwards. */
async function withDamage(indices: readonly number[], work: () => Promise<void>): Promise<void> {
  const files = await Promise.all(
    indices.map(async (i) => [images.path(i), await readFile(images.path(i))] as const),
  );
  for (const [path, bytes] of files) await writeFile(path, bytes.subarray(0, bytes.length >> 1));
  await work().finally(async () => {
    for (const [path, bytes] of files) await writeFile(path, bytes);
  });
}

describe('loadViews', () => {
  it('lays out view 1 of all images, then view 2, with crops, draws and labels', async () => {
    const [batch] = await collect(load({ batches: [{ step: 7, indices: Uint32Array.of(3, 8, 5) }] }));
    expect(batch.step).toBe(7);
    expect([...batch.indices]).toEqual([3, 8, 5]);
    expect(batch.images.length).toBe(6 * SIZE * SIZE * 3);
    expect([...(batch.labels ?? [])]).toEqual([3, 8, 5].map((i) => images.label(i)));
    for (const [place, image] of [3, 8, 5].entries()) {
      const pair = drawPair(1, 0, image, images.info(image), SIZE);
      const crops = pair.map(({ crop }) => crop);
      const views = await decodeCrops(images.path(image), images.info(image), crops, SIZE);
      for (const view of [0, 1]) {
        const row = view * 3 + place;
        const bytes = SIZE * SIZE * 3;
        expect(batch.images.subarray(row * bytes, (row + 1) * bytes)).toEqual(views[view]);
        const { top, left, height, width, flipped } = crops[view];
        expect([...batch.crops.subarray(row * 5, row * 5 + 5)]).toEqual([
          top,
          left,
          height,
          width,
          flipped ? 1 : 0,
        ]);
        expect(batch.photometric[row]).toEqual(pair[view].photometric);
      }
    }
  });

  it('gives the same batches for any number of workers and any prefetch', async () => {
    const expected = await collect(load({ workers: 1, prefetch: 1 }));
    expect(expected.map(({ indices }) => indices.length)).toEqual([5, 5, 5, 5, 3]);
    for (const [workers, prefetch] of [
      [3, 2],
      [8, 5],
    ]) {
      expect(await collect(load({ workers, prefetch }))).toEqual(expected);
    }
    expect(await collect(load({ epoch: 1 }))).not.toEqual(expected);
  });

  it('resumes with the tail of the epoch', async () => {
    const whole = await collect(load());
    expect(await collect(load({ firstStep: 2 }))).toEqual(whole.slice(2));
  });

  it('replaces files that cannot be decoded, the same way every time, and lists them', async () => {
    await withDamage([4, 11], async () => {
      const batches = await collect(load({ workers: 1 }));
      expect(await collect(load({ workers: 8 }))).toEqual(batches);
      const used = batches.flatMap(({ indices }) => [...indices]);
      expect(used).toHaveLength(COUNT);
      expect(used.includes(4) || used.includes(11)).toBe(false);
      const listed = batches.flatMap(({ replaced }) => replaced);
      const paths = new Set(listed.map(({ path }) => path));
      expect(paths).toEqual(new Set([images.path(4), images.path(11)]));
      for (const { reason } of listed) expect(reason).toBe('cannot be decoded: damaged, or not complete');
      // The views and labels are those of the image that was used.
      const { indices, labels } = batches[0];
      expect([...(labels ?? [])]).toEqual(Array.from(indices, (i) => images.label(i)));
    });
  });

  it('ends with an explanation when too many files fail', async () => {
    const all = Array.from({ length: COUNT }, (_, i) => i);
    await withDamage(all.slice(1), async () => {
      const run = collect(load());
      await expect(run).rejects.toThrow(UserError);
      await expect(run).rejects.toThrow(/images could not be decoded/);
    });
  });

  it('passes on what is no fault of a file', async () => {
    const draw = (): never => {
      throw new TypeError('a bug');
    };
    await expect(collect(load({ draw }))).rejects.toThrow(TypeError);
  });

  it('stops when its consumer leaves: nothing is started afterwards', async () => {
    let drawn = 0;
    const draw: LoaderOptions<PhotometricDraw>['draw'] = (image, info) => {
      drawn++;
      return drawPair(1, 0, image, info, SIZE);
    };
    for await (const batch of load({ draw, workers: 1, prefetch: 4 })) {
      expect(batch.step).toBe(0);
      break;
    }
    const atEnd = drawn;
    expect(atEnd).toBeLessThan(COUNT);
    await new Promise((wake) => setTimeout(wake, 20));
    expect(drawn).toBe(atEnd);
  });

  it('yields nothing for no batches', async () => {
    expect(await collect(load({ batches: [] }))).toEqual([]);
  });

  it('leaves labels out for a data set without any', async () => {
    const plain = join(folder, 'plain');
    await writeJpeg(join(plain, 'a.jpg'));
    const { images: unlabelled } = await openDataset({ root: plain });
    const batches = [{ step: 0, indices: Uint32Array.of(0) }];
    const [batch] = await collect(load({ images: unlabelled, batches }));
    expect('labels' in batch).toBe(false);
    await rm(plain, { recursive: true });
  });
});
