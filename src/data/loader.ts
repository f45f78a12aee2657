/**
 * Batches of square views: what an image becomes is decided by `draw`, which the recipe supplies.
 *
 * Letters: N images in the batch, V views of each, S side of a view. Views lie one after the other: view 1 of all
 * images, then view 2.
 */

import { renderCrops } from '../image/crops.js';
import type { Crop, ImageInfo } from '../image/types.js';
import type { ImageTable } from './image-table.js';
import { type Prefetched, type PrefetchOptions, prefetch } from './prefetch.js';
import type { Batch } from './sampler.js';

/** One view to be made: its window, and whatever the consumer needs to know about its colours. */
export interface ViewPlan<P> {
  crop: Crop;
  photometric: P;
}

export interface LoaderOptions<P> extends Omit<PrefetchOptions<unknown>, 'images' | 'begin'> {
  images: ImageTable;
  /** S, in pixels. */
  size: number;
  /** V, the number of views that `draw` returns. */
  views: number;
  /** Decides the views of an image. Must depend on its arguments only. */
  draw: (image: number, info: ImageInfo) => readonly ViewPlan<P>[];
  /** See `CropOptions`. Default 1. */
  headroom?: number;
}

export interface ViewBatch<P> extends Omit<Prefetched<unknown>, 'value'>, Views<P> {
  /** [N]; absent when the data set has no labels */
  labels?: Int32Array;
}

interface Views<P> {
  /** [V * N, S, S, 3] */
  images: Uint8Array;
  /** [V * N, 5] top, left, height, width (pixels of the upright picture, rounded) and flipped (0 or 1) */
  crops: Int32Array;
  /** V * N draws */
  photometric: P[];
}

/** Yields the batches in order, as `prefetch` does. @throws UserError when too many files cannot be decoded */
export async function* loadViews<P>(options: LoaderOptions<P>): AsyncGenerator<ViewBatch<P>, void, void> {
  const { images, size, views } = options;
  const begin = ({ indices: { length: count } }: Batch) => {
    const value: Views<P> = {
      images: new Uint8Array(views * count * size * size * 3),
      crops: new Int32Array(views * count * 5),
      photometric: new Array<P>(views * count),
    };
    const fill = (place: number, image: number) => renderImage(value, { place, count }, image, options);
    return { value, fill };
  };
  for await (const { value, ...batch } of prefetch({ ...options, begin })) {
    const labels = Int32Array.from(batch.indices, (image) => images.label(image));
    const labelled = labels.some((label) => label >= 0);
    yield { ...batch, ...value, ...(labelled && { labels }) };
  }
}

async function renderImage<P>(
  { images: pixels, crops, photometric }: Views<P>,
  { place, count }: { place: number; count: number },
  image: number,
  { images, size, draw, headroom }: LoaderOptions<P>,
): Promise<void> {
  const info = images.info(image);
  const plans = draw(image, info);
  const bytes = size * size * 3;
  const rows = plans.map((_, view) => view * count + place);
  const targets = rows.map((row) => pixels.subarray(row * bytes, (row + 1) * bytes));
  const windows = plans.map(({ crop }) => crop);
  const options = headroom === undefined ? {} : { headroom };
  await renderCrops(images.path(image), info, windows, size, targets, options);
  for (const [view, row] of rows.entries()) {
    const { top, left, height, width, flipped } = windows[view];
    crops.set([top, left, height, width].map(Math.round), row * 5);
    crops[row * 5 + 4] = flipped ? 1 : 0;
    photometric[row] = plans[view].photometric;
  }
}
