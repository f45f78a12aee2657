/** Features do not depend on how the images are batched or decoded. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import { wholeBlocks } from '../../../src/data/center-crops.js';
import { type ImageDataset, openDataset } from '../../../src/data/dataset.js';
import { Embedder, type EmbedderOptions } from '../../../src/evaluation/features/embed.js';
import { encodeJpeg } from '../../../src/image/encode.js';
import { openRuntime } from '../../helpers/engine.js';

let folder: string;
let dataset: ImageDataset;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-embed-'));
  for (const [i, category] of ['a', 'a', 'a', 'b', 'b', 'b', 'b'].entries()) {
    mkdirSync(join(folder, category), { recursive: true });
    const random = new RandomStream(1, 'picture', i);
    const data = Uint8Array.from({ length: 80 * 60 * 3 }, () => random.integer(0, 256));
    writeFileSync(join(folder, category, `${i}.jpg`), await encodeJpeg({ data, width: 80, height: 60 }));
  }
  dataset = await openDataset({ root: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function features(options: Partial<EmbedderOptions>, order?: Uint32Array) {
  const runtime = await openRuntime();
  const embedder = new Embedder(runtime, {
    network: 'resnet18',
    side: 64,
    batch: wholeBlocks(1),
    ...options,
  });
  await embedder.initialize(3);
  const result = await embedder.embed(dataset, undefined, order);
  runtime.close();
  return result;
}

it.each(['resnet18', 'resnet50'] as const)(
  'of %s are the same for every batch size and number of workers, to the last bit',
  async (network) => {
    const { data, labels, channels } = await features({ network });
    expect(data.length).toBe(7 * channels);
    expect([...labels]).toEqual([0, 0, 0, 1, 1, 1, 1]);
    for (const options of [
      { batch: wholeBlocks(33), workers: 1 },
      { batch: wholeBlocks(70), workers: 9 },
    ]) {
      const other = await features({ network, ...options });
      const difference = other.data.reduce((max, value, i) => Math.max(max, Math.abs(value - data[i])), 0);
      expect([options, difference]).toEqual([options, 0]);
    }
  },
);

it('come in the order that is asked for', async () => {
  const { data, labels } = await features({}, Uint32Array.of(5, 0));
  const all = await features({});
  expect([...labels]).toEqual([1, 0]);
  expect([...data.subarray(0, 512)]).toEqual([...all.data.subarray(5 * 512, 6 * 512)]);
});

it('are maps of the stages, too', async () => {
  const runtime = await openRuntime();
  const embedder = new Embedder(runtime, { network: 'resnet18', side: 64, batch: 3, layer: 'res3' });
  await embedder.initialize(3);
  expect(embedder.shape).toEqual([8, 8, 128]);
  let images = 0;
  for await (const batch of embedder.features(dataset.images)) {
    expect(batch.features.length).toBe(batch.indices.length * 8 * 8 * 128);
    images += batch.indices.length;
  }
  runtime.close();
  expect(images).toBe(7);
});
