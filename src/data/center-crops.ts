/**
 * The images of an evaluation: shorter side to 256 of 224, centre cut out, in their order, in batches of one size.
 *
 * No augmentation and no draws. What stands in an image's place when its file cannot be decoded is another image; it is
 * marked, so that nobody takes its features for those of the file.
 */

import { centerCropWindow } from '../image/crops.js';
import type { ImageTable } from './image-table.js';
import type { Skipped } from './list-files.js';
import { loadViews } from './loader.js';
import { epochBatches } from './sampler.js';

export interface CenterCropOptions {
  /** S, pixels. */
  readonly size: number;
  /** B, images of a batch. */
  readonly batch: number;
  /** Images that are decoded at once. Default 4. */
  readonly workers?: number;
  /** Indices into the table; default all, in order. */
  readonly order?: Uint32Array;
}

export interface CenterCropBatch {
  /** [B, S, S, 3]; the last batch is filled up with black. */
  readonly images: Uint8Array;
  /** [N] with N <= B: the images that were asked for. */
  readonly indices: Uint32Array;
  /** [N] 0 where the file could not be decoded. */
  readonly sound: Uint8Array;
  readonly failures: readonly Skipped[];
}

/**
 * Images of an evaluation step are a multiple of this. TensorFlow takes other kernels for a handful of rows, with other
 * rounding: from here on features and logits are the same for every number, to the last bit.
 */
const BLOCK = 32;

/** The size of a step for at most so many images. */
export function wholeBlocks(images: number): number {
  return BLOCK * Math.max(1, Math.ceil(images / BLOCK));
}

/** Shorter side before the centre is cut out, relative to it: 256 for 224. */
const RESIZE_RATIO = 256 / 224;
/** Twice the pixels are decoded where there are that many, so that the result is that of the full picture. */
const HEADROOM = 2;

export async function* centerCrops(
  images: ImageTable,
  { size, batch, workers = 4, order }: CenterCropOptions,
): AsyncGenerator<CenterCropBatch, void, void> {
  const all = order ?? Uint32Array.from({ length: images.count }, (_, i) => i);
  const resizeTo = Math.round(size * RESIZE_RATIO);
  const batches = loadViews<undefined>({
    images,
    batches: epochBatches(all, { batchSize: batch }),
    size,
    views: 1,
    seed: 0,
    epoch: 0,
    workers,
    headroom: HEADROOM,
    draw: (_, { width, height }) => [
      { crop: centerCropWindow(width, height, resizeTo, size), photometric: undefined },
    ],
  });
  for await (const { step, images: found, indices: used, replaced } of batches) {
    const indices = all.subarray(step * batch, step * batch + used.length);
    const sound = Uint8Array.from(indices, (image, place) => (used[place] === image ? 1 : 0));
    yield { images: filledUp(found, batch * size * size * 3), indices, sound, failures: replaced };
  }
}

function filledUp(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === length) return bytes;
  const full = new Uint8Array(length);
  full.set(bytes);
  return full;
}
