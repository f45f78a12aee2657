/**
 * Estimates the running statistics of batch norm from images, as an untrained network has none: without them its features
 * would say more about wrong statistics than about its weights.
 */

import { type CenterCropOptions, centerCrops } from '../../data/center-crops.js';
import type { ImageTable } from '../../data/image-table.js';
import type { Step } from '../../engine/step.js';

const BATCHES = 40;
const BATCH = 32;

/** Images of a calibration step: the result shall not depend on any other batch size. */
export function calibrationBatch(images: number): number {
  return Math.min(BATCH, images);
}

/** @param step a forward pass in training mode; full batches only are shown to it */
export async function calibrate(
  step: Step<'images', string>,
  images: ImageTable,
  options: CenterCropOptions,
): Promise<void> {
  for (let batches = 0; batches < BATCHES; ) {
    for await (const { images: pixels, indices } of centerCrops(images, options)) {
      if (indices.length === options.batch) await step.run({ images: pixels });
      if (++batches === BATCHES) break;
    }
  }
}
