import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aspectBatches, inOrder } from '../../src/data/aspect-batches.js';
import { openDetectionDataset } from '../../src/data/detection-dataset.js';
import {
  type DetectionBatch,
  type DetectionLoaderOptions,
  isWide,
  loadDetections,
} from '../../src/data/detection-loader.js';
import type { Skipped } from '../../src/data/list-files.js';
import { temporaryFolder } from '../image/pictures.js';
import { annotation, writeAnnotations, writeImages } from './detection-data.js';

const folder = await temporaryFolder();
process.env.SCRL_HOME = join(folder, 'home');
const SIZES = Array.from({ length: 11 }, (_, i): [number, number] =>
  i % 3 === 0 ? [60 + i, 40] : [40, 50 + 3 * i],
);
const images = await writeImages(folder, SIZES);
const runs = { size: [SIZES[2][1], SIZES[2][0]] as [number, number], counts: [500, 700, 1040] };
const annotations = writeAnnotations(folder, {
  images,
  categories: [{ id: 3, name: 'cat' }],
  annotations: [
    ...images.map(({ id }) => annotation(id, id, [3, 4, 20 + id, 15.5])),
    annotation(50, 2, [10, 10, 20, 20], { segmentation: runs }),
    annotation(51, 2, [0, 0, 30, 30], { iscrowd: 1, segmentation: runs }),
  ],
});
const dataset = await openDetectionDataset({ annotations, images: join(folder, 'images'), masks: true });
const wide = (image: number) => isWide(dataset, image);
const STEPS = 9;

interface Options extends Partial<DetectionLoaderOptions> {
  firstStep?: number;
}

async function collect({ firstStep = 0, ...rest }: Options = {}): Promise<Omit<DetectionBatch, 'waited'>[]> {
  const found: Omit<DetectionBatch, 'waited'>[] = [];
  const source = loadDetections({
    dataset,
    batches: aspectBatches({ seed: 5, count: dataset.count, isWide: wide, batchSize: 2, firstStep }),
    augmentation: { shortEdges: [32, 48, 64], maxSize: 90, flipProbability: 0.5 },
    seed: 5,
    workers: 3,
    ...rest,
  });
  for await (const { waited, ...batch } of source) {
    found.push(batch);
    if (batch.step === STEPS - 1) break;
  }
  return found;
}

describe('loadDetections', () => {
  it('gives equal bytes for any number of workers, any prefetch, and after a resume in the middle', async () => {
    const expected = await collect({ workers: 1, prefetch: 1 });
    expect(expected.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i));
    expect(await collect({ workers: 4, prefetch: 3 })).toEqual(expected);
    for (const firstStep of [1, 4, 8]) {
      expect(await collect({ firstStep, workers: 4 })).toEqual(expected.slice(firstStep));
    }
  });

  it('has batches of one shape, of changing size, mirrored or not, without crowds', async () => {
    const batches = await collect();
    for (const { indices } of batches) expect(new Set(Array.from(indices, wide)).size).toBe(1);
    const plans = batches.flatMap((batch) => batch.plans);
    expect(new Set(plans.map(({ to }) => Math.min(to.width, to.height))).size).toBeGreaterThan(2);
    expect(new Set(plans.map(({ flipped }) => flipped))).toEqual(new Set([true, false]));
    const ids = batches.flatMap(({ objects }) => objects.flatMap((own) => [...own.ids]));
    expect(ids).toContain(50);
    expect(ids).not.toContain(51);
    const crowded = await collect({ keepCrowds: true });
    expect(crowded.flatMap(({ objects }) => objects.flatMap((own) => [...own.ids]))).toContain(51);
  });

  it('pads to multiples of 32 with zero bytes, right and below', async () => {
    for (const { images: bytes, height, width, sizes, plans, indices } of await collect()) {
      expect([height % 32, width % 32]).toEqual([0, 0]);
      expect(bytes.length).toBe(indices.length * height * width * 3);
      const sides = plans.flatMap(({ to }) => [to.height, to.width]);
      expect([...sizes]).toEqual(sides);
      for (let n = 0; n < indices.length; n++) {
        const [ownHeight, ownWidth] = sizes.subarray(2 * n, 2 * n + 2);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const at = ((n * height + y) * width + x) * 3;
            const inside = y < ownHeight && x < ownWidth;
            // The pattern's darkest byte is far from zero.
            expect(bytes[at] > 20).toBe(inside);
          }
        }
      }
    }
  });

  it('gives every image once in evaluation, in order', async () => {
    const batches = inOrder(dataset.count, 4);
    const augmentation = { shortEdges: [40], maxSize: 90, flipProbability: 0 };
    const found = await collect({ batches, augmentation });
    expect(found.map(({ indices }) => indices.length)).toEqual([4, 4, 3]);
    expect(found.flatMap(({ ids }) => ids)).toEqual(images.map(({ id }) => id));
    expect(found.flatMap(({ plans }) => plans).some(({ flipped }) => flipped)).toBe(false);
  });

  async function withDamage(names: readonly string[], work: (paths: string[]) => Promise<void>) {
    const paths = names.map((name) => join(folder, 'images', name));
    const bytes = await Promise.all(paths.map((path) => readFile(path)));
    for (const [i, path] of paths.entries())
      await writeFile(path, bytes[i].subarray(0, bytes[i].length >> 1));
    await work(paths).finally(async () => {
      for (const [i, path] of paths.entries()) await writeFile(path, bytes[i]);
    });
  }

  it('replaces a file that cannot be decoded by one of its shape, the same way every time', async () => {
    await withDamage(['3.jpg'], async ([path]) => {
      const found = await collect({ workers: 1 });
      expect(await collect({ workers: 4 })).toEqual(found);
      const replaced = found.flatMap((batch) => batch.replaced);
      expect(new Set(replaced.map((file) => file.path))).toEqual(new Set([path]));
      const used = found.flatMap(({ indices }) => [...indices]);
      expect(used).not.toContain(3);
      for (const { indices } of found) expect(new Set(Array.from(indices, wide)).size).toBe(1);
    });
  });

  it('leaves such a file out in evaluation, and a batch of such files', async () => {
    await withDamage(['1.jpg', '6.jpg', '7.jpg'], async (paths) => {
      const augmentation = { shortEdges: [40], maxSize: 90, flipProbability: 0 };
      const said: Skipped[] = [];
      const leaveOut = (file: Skipped) => said.push(file);
      const found = await collect({ batches: inOrder(dataset.count, 2), augmentation, leaveOut });
      expect(found.map(({ ids }) => ids)).toEqual([[0], [2, 3], [4, 5], [8, 9], [10]]);
      for (const { ids, indices, plans, objects, sizes } of found) {
        const counts = [indices.length, plans.length, objects.length, sizes.length / 2];
        expect(counts).toEqual(Array(4).fill(ids.length));
      }
      expect(said.map(({ path }) => path)).toEqual(paths);
    });
  });
});

describe('aspectBatches', () => {
  const deal = (options: { count: number; batchSize: number; firstStep?: number }, steps: number) => {
    const batches = aspectBatches({ seed: 3, isWide: (image) => image % 4 === 0, ...options });
    return Array.from({ length: steps }, () => batches.next().value);
  };

  it('deals every image once an epoch, and leaves none out', () => {
    const dealt = deal({ count: 10, batchSize: 3 }, 100);
    const seen = new Map<number, number[]>();
    for (const { indices, epochs } of dealt) {
      indices.forEach((image, i) => {
        seen.set(image, [...(seen.get(image) ?? []), epochs[i]]);
      });
    }
    expect(seen.size).toBe(10);
    for (const epochs of seen.values()) {
      expect(epochs).toEqual(Array.from(epochs, (_, i) => i));
      expect(epochs.length).toBeGreaterThanOrEqual(29);
    }
  });

  it('is addressed by the step', () => {
    const dealt = deal({ count: 7, batchSize: 2 }, 40);
    expect(deal({ count: 7, batchSize: 2, firstStep: 17 }, 23)).toEqual(dealt.slice(17));
  });

  it('fills a batch from one image', () => {
    const [batch] = deal({ count: 1, batchSize: 3 }, 1);
    expect([[...batch.indices], [...batch.epochs]]).toEqual([
      [0, 0, 0],
      [0, 1, 2],
    ]);
  });
});
