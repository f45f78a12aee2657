/** Features of labelled images, all in memory: what nearest neighbours and cached evaluations work on. */

import type { CenterCropBatch } from '../../data/center-crops.js';
import type { ImageTable } from '../../data/image-table.js';

/** Images and what a network says of them. */
export interface FeatureBatch extends CenterCropBatch {
  /** [N, ...] */
  readonly features: Float32Array;
}

export interface Features {
  /** [count, channels]; zeros where the file could not be decoded */
  data: Float32Array;
  /** [count]; -1 without label, and where the file could not be decoded */
  labels: Int32Array;
  channels: number;
}

/** @param run gives [B, channels] of [B, S, S, 3] */
export async function* withFeatures(
  crops: AsyncIterable<CenterCropBatch>,
  channels: number,
  run: (images: Uint8Array) => Promise<Float32Array>,
): AsyncGenerator<FeatureBatch, void, void> {
  for await (const batch of crops) {
    const features = await run(batch.images);
    yield { ...batch, features: features.subarray(0, batch.indices.length * channels) };
  }
}

/**
 * @param count of the images that are coming
 * @param onBatch receives the number of images done, and the batch
 */
export async function collectFeatures(
  batches: AsyncIterable<FeatureBatch>,
  { images, count, channels }: { images: ImageTable; count: number; channels: number },
  onBatch: (done: number, batch: FeatureBatch) => void = () => undefined,
): Promise<Features> {
  const data = new Float32Array(count * channels);
  const labels = new Int32Array(count);
  let done = 0;
  for await (const batch of batches) {
    data.set(batch.features, done * channels);
    for (const [i, image] of batch.indices.entries()) {
      const row = done + i;
      labels[row] = batch.sound[i] ? images.label(image) : -1;
      if (!batch.sound[i]) data.fill(0, row * channels, (row + 1) * channels);
    }
    done += batch.indices.length;
    onBatch(done, batch);
  }
  return { data, labels, channels };
}

/** Closes the gaps of images that could not be decoded, in place. */
export function soundRows({ data, labels, channels }: Features): Features & { failed: number } {
  let kept = 0;
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] < 0) continue;
    if (kept < row) data.copyWithin(kept * channels, row * channels, (row + 1) * channels);
    labels[kept++] = labels[row];
  }
  return {
    data: data.subarray(0, kept * channels),
    labels: labels.subarray(0, kept),
    channels,
    failed: labels.length - kept,
  };
}
