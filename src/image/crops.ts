/**
 * Windows of a picture as square views: one decoding for all windows of a picture, then one resampling per window.
 *
 * The centre crop of the evaluation (shorter side to 256, centre 224; spec of the reference, as torchvision rounds it) is a
 * window too, so that everything takes the same path.
 */

import type { Window } from '../core/boxes.js';
import { roundHalfEven } from '../core/round.js';
import { decodePart, REDUCTIONS, type Reduction } from './decode.js';
import { resample } from './resample.js';
import type { Crop, ImageInfo } from './types.js';

export interface CropOptions {
  /**
   * How many times `size` a window's shorter side must measure after the reduction in the decoder. 1 is cheapest;
   * 2 keeps the result within a few grey levels of one from the full picture. Default 1.
   */
  headroom?: number;
}

/**
 * Renders windows of one file into memory of the caller.
 *
 * @param info from `probeImage`
 * @param crops in pixels of the upright picture; may be fractional
 * @param size side of each result in pixels
 * @param targets one per window, each receives [size, size, 3]
 * @throws ImageError when the file cannot be decoded
 */
export async function renderCrops(
  path: string,
  info: ImageInfo,
  crops: readonly Crop[],
  size: number,
  targets: readonly Uint8Array[],
  { headroom = 1 }: CropOptions = {},
): Promise<void> {
  if (crops.length === 0) return;
  const reduction = chooseReduction(crops, size * headroom);
  const area = neededArea(info, crops);
  const { image, scaleX, scaleY, offsetX, offsetY } = await decodePart(path, info, reduction, area);
  for (const [i, crop] of crops.entries()) {
    const window = {
      left: crop.left * scaleX + offsetX,
      top: crop.top * scaleY + offsetY,
      width: crop.width * scaleX,
      height: crop.height * scaleY,
    };
    resample(image, window, size, crop.flipped, crop.context ?? false, targets[i]);
  }
}

/** `renderCrops` into memory of its own: one [size, size, 3] per window. */
export async function decodeCrops(
  path: string,
  info: ImageInfo,
  crops: readonly Crop[],
  size: number,
  options: CropOptions = {},
): Promise<Uint8Array[]> {
  const targets = crops.map(() => new Uint8Array(size * size * 3));
  await renderCrops(path, info, crops, size, targets, options);
  return targets;
}

/**
 * The window that equals resizing the shorter side to `resizeTo` and cutting `size` x `size` out of the centre.
 * The longer side is rounded down after resizing, the margin to even.
 */
export function centerCropWindow(width: number, height: number, resizeTo: number, size: number): Crop {
  if (resizeTo < size)
    throw new RangeError(`the shorter side, ${resizeTo}, must not be below the crop, ${size}`);
  const shorter = Math.min(width, height);
  const resizedWidth = Math.trunc((resizeTo * width) / shorter);
  const resizedHeight = Math.trunc((resizeTo * height) / shorter);
  const left = roundHalfEven((resizedWidth - size) / 2);
  const top = roundHalfEven((resizedHeight - size) / 2);
  const scaleX = width / resizedWidth;
  const scaleY = height / resizedHeight;
  return {
    left: left * scaleX,
    top: top * scaleY,
    width: size * scaleX,
    height: size * scaleY,
    flipped: false,
    context: true,
  };
}

/** The largest reduction that leaves each window at least `side` pixels in both directions. */
function chooseReduction(crops: readonly Crop[], side: number): Reduction {
  const smallest = Math.min(...crops.map((crop) => Math.min(crop.width, crop.height)));
  return REDUCTIONS.find((reduction) => smallest / reduction >= side) ?? 1;
}

/** The smallest area that holds all windows, or everything when a filter may reach beyond one. */
function neededArea(info: ImageInfo, crops: readonly Crop[]): Window {
  if (crops.some((crop) => crop.context)) return { left: 0, top: 0, width: info.width, height: info.height };
  const left = Math.min(...crops.map((crop) => crop.left));
  const top = Math.min(...crops.map((crop) => crop.top));
  const right = Math.max(...crops.map((crop) => crop.left + crop.width));
  const bottom = Math.max(...crops.map((crop) => crop.top + crop.height));
  return { left, top, width: right - left, height: bottom - top };
}
