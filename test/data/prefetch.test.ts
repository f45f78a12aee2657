/** Prefetching apart from what an image becomes; order, failures and early ends with real files are in loader.test.ts. */

import { describe, expect, it } from 'vitest';
import { type PrefetchOptions, prefetch } from '../../src/data/prefetch.js';
import { epochBatches } from '../../src/data/sampler.js';
import { ImageError } from '../../src/image/types.js';

const COUNT = 10;
const order = Uint32Array.from({ length: COUNT }, (_, i) => i);

/** Images become texts; those of `bad` cannot be decoded. Later places of a batch are ready first. */
function texts(bad: readonly number[], options: Partial<PrefetchOptions<string[]>> = {}) {
  return prefetch<string[]>({
    images: { root: 'photos', count: COUNT },
    batches: epochBatches(order, { batchSize: 4 }),
    seed: 1,
    epoch: 0,
    workers: 3,
    begin: ({ indices: { length: count } }) => {
      const value = new Array<string>(count);
      const fill = async (place: number, image: number) => {
        await new Promise((wake) => setTimeout(wake, 2 * (count - place)));
        if (bad.includes(image)) throw new ImageError(`${image}.jpg`, 'cut off');
        value[place] = `image ${image}`;
      };
      return { value, fill };
    },
    ...options,
  });
}

async function collect<T>(batches: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

describe('prefetch', () => {
  it('fills batches in their order, whatever is ready first', async () => {
    const batches = await collect(texts([]));
    expect(batches.map(({ step, indices }) => [step, ...indices])).toEqual([
      [0, 0, 1, 2, 3],
      [1, 4, 5, 6, 7],
      [2, 8, 9],
    ]);
    expect(batches.flatMap(({ value }) => value)).toEqual([...order].map((image) => `image ${image}`));
  });

  it('replaces what cannot be decoded, by the same image each time', async () => {
    const [first, again] = [await collect(texts([5])), await collect(texts([5], { workers: 1 }))];
    const [, { indices, value, replaced }] = first;
    expect(replaced).toEqual([{ path: '5.jpg', reason: 'cut off' }]);
    expect(indices[1]).not.toBe(5);
    expect(value[1]).toBe(`image ${indices[1]}`);
    expect(again[1].indices).toEqual(indices);
  });

  it('takes replacements from where the caller says', async () => {
    const replacement = () => 7;
    const [, { indices, value }] = await collect(texts([4, 5], { replacement }));
    expect([...indices]).toEqual([7, 7, 6, 7]);
    expect(value).toEqual(['image 7', 'image 7', 'image 6', 'image 7']);
  });

  it('gives up where nothing can be decoded, and counts each file once however often it was tried', async () => {
    await expect(collect(texts([...order]))).rejects.toThrow(/photos: 6 of 6 images could not be/);
  });
});
