/**
 * Makes batches of images ahead of their consumer: several images at once, some batches early, in order.
 *
 * What an image becomes is the caller's: square views, a picture with its boxes. Nothing here depends on when a file is
 * ready, so results do not depend on `workers` or `prefetch`. A file that cannot be decoded is replaced by another image,
 * drawn from a stream of its own, and reported with the batch; too many of them are an error.
 */

import { counted } from '../core/counted.js';
import { UserError } from '../core/errors.js';
import { RandomStream } from '../core/rng.js';
import { ImageError } from '../image/types.js';
import type { ImageTable } from './image-table.js';
import type { Skipped } from './list-files.js';
import { createPool, type Pool, PoolClosed } from './pool.js';
import type { Batch } from './sampler.js';

/** A batch while its images arrive, in any order. */
export interface Filling<T> {
  /** What the consumer gets once all places are filled. */
  readonly value: T;
  /** Makes an image and puts it into its place. @throws ImageError when the file cannot be decoded */
  fill(place: number, image: number): Promise<void>;
}

export interface PrefetchOptions<T, B extends Batch = Batch> {
  readonly images: Pick<ImageTable, 'root' | 'count'>;
  readonly batches: Iterable<B>;
  /** Makes room for a batch. */
  readonly begin: (batch: B) => Filling<T>;
  /** With the epoch, names the stream of replacements. */
  readonly seed: number;
  readonly epoch: number;
  /** Draws an image in place of one that cannot be decoded. Default: any of them. */
  readonly replacement?: (stream: RandomStream, image: number) => number;
  /** Images that are decoded at once. */
  readonly workers: number;
  /** Batches that are made ahead of the consumer. Default 2. */
  readonly prefetch?: number;
}

export interface Prefetched<T> {
  /** As in the sampler's batch. */
  readonly step: number;
  /** [N] images that were used, replacements included */
  readonly indices: Uint32Array;
  readonly value: T;
  /** Files that could not be decoded and were replaced. */
  readonly replaced: readonly Skipped[];
  /** Seconds that the consumer waited for this batch. */
  readonly waited: number;
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
export async function* prefetch<T, B extends Batch = Batch>(
  options: PrefetchOptions<T, B>,
): AsyncGenerator<Prefetched<T>, void, void> {
  const pool = createPool(Math.max(1, options.workers));
  const ahead = Math.max(1, options.prefetch ?? 2);
  const source = options.batches[Symbol.iterator]();
  const pending: Promise<Omit<Prefetched<T>, 'waited'>>[] = [];
  let seen = 0;
  const failed = new Set<string>();
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
      const waited = (performance.now() - start) / 1000;
      void pending.shift();
      refill();
      seen += batch.indices.length;
      for (const { path } of batch.replaced) failed.add(path);
      if (failed.size > TOLERATED_FAILURES && failed.size > TOLERATED_SHARE * seen) {
        throw tooManyFailures(options.images.root, failed.size, seen, batch.replaced);
      }
      yield { ...batch, waited };
    }
  } finally {
    pool.close();
    await Promise.allSettled(pending);
  }
}

async function makeBatch<T, B extends Batch>(
  batch: B,
  options: PrefetchOptions<T, B>,
  pool: Pool,
): Promise<Omit<Prefetched<T>, 'waited'>> {
  const { step, indices } = batch;
  const { value, fill } = options.begin(batch);
  const used = indices.slice();
  const failures: Skipped[][] = Array.from(indices, () => []);
  const jobs = Array.from(indices, (image, place) =>
    pool.run(async () => {
      used[place] = await fillPlace((candidate) => fill(place, candidate), image, options, failures[place]);
    }),
  );
  const outcomes = await Promise.allSettled(jobs);
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (errors.length > 0) throw errors.find((error) => !(error instanceof PoolClosed)) ?? errors[0];
  return { step, indices: used, value, replaced: failures.flat() };
}

/** Makes an image, or the first replacement that can be decoded. @returns the image that was made */
async function fillPlace(
  fill: (image: number) => Promise<void>,
  wanted: number,
  options: Pick<PrefetchOptions<unknown>, 'images' | 'seed' | 'epoch' | 'replacement'>,
  failures: Skipped[],
): Promise<number> {
  const { images, seed, epoch, replacement = (stream) => stream.integer(0, images.count) } = options;
  const stream = new RandomStream(seed, 'replacement', epoch, wanted);
  for (let image = wanted, tries = 0; ; image = replacement(stream, wanted)) {
    try {
      await fill(image);
      return image;
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      failures.push({ path: error.path, reason: error.reason });
      if (++tries > REPLACEMENT_TRIES) throw noReplacement(images.root, failures);
    }
  }
}

function noReplacement(root: string, failures: readonly Skipped[]): UserError {
  const files = new Set(failures.map(({ path }) => path)).size;
  return tooManyFailures(root, files, files, failures);
}

function tooManyFailures(
  root: string,
  failed: number,
  seen: number,
  failures: readonly Skipped[],
): UserError {
  const files = [...new Map(failures.map((failure) => [failure.path, failure])).values()];
  const shown = files.slice(-3).map(({ path, reason }) => `\n  ${path}: ${reason}`);
  return new UserError(`${failed} of ${counted(seen, 'image')} could not be decoded${shown.join('')}`, {
    where: root,
    remedy:
      'check the disk and the files; if they were replaced since the last start, open the data set with `rescan`',
  });
}
