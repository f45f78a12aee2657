/**
 * Batches of images with their objects, for a detector: decoded, resized, mirrored, padded to a common size.
 *
 * All draws come from (seed, epoch, image), so that neither order nor workers change what a step sees. An image that cannot be
 * decoded is replaced by another one of its shape. Letters: N images in the batch, H and W their padded size.
 */

import { decodeWhole } from '../image/decode.js';
import { resizeBilinear } from '../image/resize-bilinear.js';
import { ImageError, type ImageInfo, type RawImage } from '../image/types.js';
import type { ImageId } from '../pycocotools/dataset/types.js';
import type { AspectBatch } from './aspect-batches.js';
import type { DetectionDataset } from './detection-dataset.js';
import { type DetectionObjects, imageId, objectsOf } from './detection-records.js';
import {
  type DetectionAugmentation,
  type DetectionPlan,
  planDetection,
  transformObjects,
} from './detection-transform.js';
import type { Skipped } from './list-files.js';
import { type PaddedImages, padImages } from './pad-images.js';
import { type Prefetched, type PrefetchOptions, prefetch } from './prefetch.js';

export interface DetectionLoaderOptions
  extends Pick<PrefetchOptions<unknown>, 'seed' | 'workers' | 'prefetch'> {
  dataset: DetectionDataset;
  /** Endless for training: `aspectBatches`; once through for evaluation: `inOrder`. */
  batches: Iterable<AspectBatch>;
  augmentation: DetectionAugmentation;
  /** Hand out crowds too, for pictures. Default false: nothing is learned from them. */
  keepCrowds?: boolean;
  /**
   * Leave images that cannot be decoded out of their batch, where others in their place would be judged twice, and call this
   * for each, in order. Batches may be smaller then; one without images is not handed out.
   */
  leaveOut?: (file: Skipped) => void;
}

export interface DetectionBatch extends Omit<Prefetched<unknown>, 'value'>, PaddedImages {
  /** N; as in the annotations */
  ids: ImageId[];
  /** N; sizes before and after resizing, and whether mirrored */
  plans: DetectionPlan[];
  /** N; in pixels of the resized image */
  objects: DetectionObjects[];
}

interface Sample {
  plan: DetectionPlan;
  pixels: RawImage;
  objects: DetectionObjects;
}

/**
 * Yields the batches in order, as `prefetch` does.
 *
 * @throws UserError when too many files cannot be decoded
 */
export async function* loadDetections(
  options: DetectionLoaderOptions,
): AsyncGenerator<DetectionBatch, void, void> {
  const { dataset, batches, seed, workers } = options;
  const begin = ({ epochs }: AspectBatch) => {
    const value: (Sample | ImageError)[] = Array(epochs.length);
    const fill = async (place: number, image: number): Promise<void> => {
      value[place] = await loadSample(options, image, epochs[place]).catch((error: unknown) => {
        if (options.leaveOut && error instanceof ImageError) return error;
        throw error;
      });
    };
    return { value, fill };
  };
  const images = { root: dataset.files.root, count: dataset.count };
  const ahead = options.prefetch === undefined ? {} : { prefetch: options.prefetch };
  const replacement = likeShape(dataset);
  const source = prefetch({ images, batches, begin, replacement, seed, epoch: 0, workers, ...ahead });
  for await (const { value, ...batch } of source) {
    const samples = value.flatMap((item) => (item instanceof ImageError ? [] : [item]));
    for (const item of value) if (item instanceof ImageError) options.leaveOut?.(item);
    if (samples.length === 0) continue;
    const indices = batch.indices.filter((_, place) => !(value[place] instanceof ImageError));
    yield {
      ...batch,
      ...padImages(samples.map(({ pixels }) => pixels)),
      indices,
      ids: Array.from(indices, (image) => imageId(dataset.records, image)),
      plans: samples.map(({ plan }) => plan),
      objects: samples.map(({ objects }) => objects),
    };
  }
}

/** Whether an image is wider than high; batches are of one kind. */
export function isWide({ files, fileOf }: DetectionDataset, image: number): boolean {
  return files.width(fileOf[image]) > files.height(fileOf[image]);
}

/**
 * A whole picture as a detector sees it.
 *
 * @throws ImageError when the file cannot be decoded
 */
export async function loadResized(
  path: string,
  info: ImageInfo,
  { to, flipped }: Pick<DetectionPlan, 'to' | 'flipped'>,
): Promise<RawImage> {
  return resizeBilinear(await decodeWhole(path, info), to.width, to.height, flipped);
}

async function loadSample(
  { dataset, augmentation, seed, keepCrowds = false }: DetectionLoaderOptions,
  image: number,
  epoch: number,
): Promise<Sample> {
  const file = dataset.fileOf[image];
  const info = dataset.files.info(file);
  const plan = planDetection(augmentation, info, { seed, epoch, image });
  const pixels = await loadResized(dataset.files.path(file), info, plan);
  const objects = transformObjects(objectsOf(dataset.records, image, keepCrowds), plan);
  return { plan, pixels, objects };
}

/** Draws images until one has the shape of the image in whose place it comes; that image is one of them. */
function likeShape(dataset: DetectionDataset): NonNullable<PrefetchOptions<unknown>['replacement']> {
  return (stream, wanted) => {
    const wide = isWide(dataset, wanted);
    for (;;) {
      const image = stream.integer(0, dataset.count);
      if (isWide(dataset, image) === wide) return image;
    }
  };
}
