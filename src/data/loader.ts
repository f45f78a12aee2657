/**
 * Turns batches of indices into batches of views: decodes several images at once, some batches ahead of the consumer.
 *
 * What an image becomes is decided by `draw`, which the recipe supplies; nothing here depends on when a file is ready,
 * so results do not depend on `workers` or `prefetch`. A file that cannot be decoded is replaced by another image, drawn
 * from a stream of its own, and reported with the batch.
 *
 * Letters: N images in the batch, V views of each, S side of a view. Views lie one after the other: view 1 of all
 * images, then view 2.
 */

import { UserError } from '../core/errors.js';
import { RandomStream } from '../core/rng.js';
import { renderCrops } from '../image/crops.js';
import { type Crop, ImageError, type ImageInfo } from '../image/types.js';
import type { ImageTable } from './image-table.js';
import type { Skipped } from './list-files.js';
import { createPool, type Pool, PoolClosed } from './pool.js';
import type { Batch } from './sampler.js';

/** One view to be made: its window, and whatever the consumer needs to know about its colours. */
export interface ViewPlan<P> {
  crop: Crop;
  photometric: P;
}

export interface LoaderOptions<P> {
  images: ImageTable;
  batches: Iterable<Batch>;
  /** S, in pixels. */
  size: number;
  /** V, the number of views that `draw` returns. */
  views: number;
  /** Decides the views of an image. Must depend on its arguments only. */
  draw: (image: number, info: ImageInfo) => readonly ViewPlan<P>[];
  /** With the epoch, names the stream of replacements. */
  seed: number;
  epoch: number;
  /** Images that are decoded at once. */
  workers: number;
  /** Batches that are made ahead of the consumer. Default 2. */
  prefetch?: number;
  /** See `CropOptions`. Default 1. */
  headroom?: number;
}

export interface ViewBatch<P> {
  /** As in the sampler's batch. */
  step: number;
  /** [N] images that were used, replacements included */
  indices: Uint32Array;
  /** [V * N, S, S, 3] */
  images: Uint8Array;
  /** [V * N, 5] top, left, height, width (pixels of the upright picture, rounded) and flipped (0 or 1) */
  crops: Int32Array;
  /** V * N draws */
  photometric: P[];
  /** [N]; absent when the data set has no labels */
  labels?: Int32Array;
  /** Files that could not be decoded and were replaced. */
  replaced: Skipped[];
  /** Seconds that the consumer waited for this batch. */
  waited: number;
}

const REPLACEMENT_TRIES = 10;
/** A few bad files are tolerated however small the data set; beyond that, this share of all images. */
const TOLERATED_FAILURES = 20;
const TOLERATED_SHARE = 0.1;

/**
 * Yields the batches in order. Leaving the loop early (`break`, `return()`, an error) stops the work: images that have
 * not been started are not decoded, and the generator ends when those in flight are done.
 *
 * @throws UserError when too many files cannot be decoded
 */
export async function* loadViews<P>(options: LoaderOptions<P>): AsyncGenerator<ViewBatch<P>, void, void> {
  const pool = createPool(Math.max(1, options.workers));
  const ahead = Math.max(1, options.prefetch ?? 2);
  const source = options.batches[Symbol.iterator]();
  const pending: Promise<ViewBatch<P>>[] = [];
  let seen = 0;
  let failed = 0;
  const refill = (): void => {
    while (pending.length < ahead) {
      const next = source.next();
      if (next.done) return;
      const batch = makeBatch(next.value, options, pool);
      batch.catch(() => undefined); // its error is thrown when its turn comes
      pending.push(batch);
    }
  };
  try {
    for (refill(); pending.length > 0; ) {
      const start = performance.now();
      const batch = await pending[0];
      batch.waited = (performance.now() - start) / 1000;
      pending.shift();
      refill();
      seen += batch.indices.length;
      failed += batch.replaced.length;
      if (failed > TOLERATED_FAILURES && failed > TOLERATED_SHARE * seen) {
        throw tooManyFailures(options.images.root, failed, seen, batch.replaced);
      }
      yield batch;
    }
  } finally {
    pool.close();
    await Promise.allSettled(pending);
  }
}

async function makeBatch<P>(
  { step, indices }: Batch,
  options: LoaderOptions<P>,
  pool: Pool,
): Promise<ViewBatch<P>> {
  const { images, size, views } = options;
  const count = indices.length;
  const batch: ViewBatch<P> = {
    step,
    indices: indices.slice(),
    images: new Uint8Array(views * count * size * size * 3),
    crops: new Int32Array(views * count * 5),
    photometric: new Array<P>(views * count),
    replaced: [],
    waited: 0,
  };
  const failures: Skipped[][] = Array.from({ length: count }, () => []);
  const jobs = Array.from(indices, (image, place) =>
    pool.run(() => fillPlace(batch, place, image, options, failures[place])),
  );
  const outcomes = await Promise.allSettled(jobs);
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (errors.length > 0) throw errors.find((error) => !(error instanceof PoolClosed)) ?? errors[0];
  batch.replaced = failures.flat();
  const labels = Int32Array.from(batch.indices, (image) => images.label(image));
  return labels.some((label) => label >= 0) ? { ...batch, labels } : batch;
}

/** Makes the views of one image, or of the first replacement that can be decoded. */
async function fillPlace<P>(
  batch: ViewBatch<P>,
  place: number,
  wanted: number,
  options: LoaderOptions<P>,
  failures: Skipped[],
): Promise<void> {
  const { images, seed, epoch } = options;
  const replacements = new RandomStream(seed, 'replacement', epoch, wanted);
  for (let image = wanted, tries = 0; ; image = replacements.integer(0, images.count)) {
    try {
      await renderImage(batch, place, image, options);
      batch.indices[place] = image;
      return;
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      failures.push({ path: error.path, reason: error.reason });
      if (++tries > REPLACEMENT_TRIES) throw tooManyFailures(images.root, tries, tries, failures);
    }
  }
}

async function renderImage<P>(
  { images: pixels, crops, photometric, indices }: ViewBatch<P>,
  place: number,
  image: number,
  { images, size, draw, headroom }: LoaderOptions<P>,
): Promise<void> {
  const info = images.info(image);
  const plans = draw(image, info);
  const bytes = size * size * 3;
  const rows = plans.map((_, view) => view * indices.length + place);
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

function tooManyFailures(
  root: string,
  failed: number,
  seen: number,
  failures: readonly Skipped[],
): UserError {
  const shown = failures.slice(-3).map(({ path, reason }) => `\n  ${path}: ${reason}`);
  return new UserError(`${failed} of ${seen} images could not be decoded${shown.join('')}`, {
    where: root,
    remedy:
      'check the disk and the files; if they were replaced since the last start, open the data set with `rescan`',
  });
}
