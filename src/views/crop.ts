/**
 * Draws the window of a view: torchvision's RandomResizedCrop, step by step, with Python's rounding (halves to even).
 * Only the source of random numbers differs. Coordinates are whole pixels of the upright picture.
 */

import type { Window } from '../core/boxes.js';
import type { RandomStream } from '../core/rng.js';
import { roundHalfEven } from '../core/round.js';

const ATTEMPTS = 10;

/**
 * @param scale lowest and highest share of the picture's area
 * @param ratio lowest and highest width / height, drawn log-uniformly
 * @returns a window inside the picture; when ten draws do not fit, the largest centred one of an allowed ratio
 */
export function drawCrop(
  stream: RandomStream,
  imageWidth: number,
  imageHeight: number,
  scale: readonly [number, number],
  ratio: readonly [number, number] = [3 / 4, 4 / 3],
): Window {
  const area = imageWidth * imageHeight;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const target = area * stream.between(scale[0], scale[1]);
    const aspect = Math.exp(stream.between(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = roundHalfEven(Math.sqrt(target * aspect));
    const height = roundHalfEven(Math.sqrt(target / aspect));
    if (width > 0 && width <= imageWidth && height > 0 && height <= imageHeight) {
      const top = stream.integer(0, imageHeight - height + 1);
      const left = stream.integer(0, imageWidth - width + 1);
      return { top, left, height, width };
    }
  }
  return largestCentred(imageWidth, imageHeight, ratio);
}

function largestCentred(imageWidth: number, imageHeight: number, ratio: readonly [number, number]): Window {
  let width = imageWidth;
  let height = imageHeight;
  const aspect = imageWidth / imageHeight;
  // A very long picture can round to nothing where torchvision would fail; one pixel is the least.
  if (aspect < ratio[0]) height = Math.max(1, roundHalfEven(width / ratio[0]));
  else if (aspect > ratio[1]) width = Math.max(1, roundHalfEven(height * ratio[1]));
  return {
    top: Math.floor((imageHeight - height) / 2),
    left: Math.floor((imageWidth - width) / 2),
    height,
    width,
  };
}

/**
 * The window that shows what the evaluation shows, in whole pixels: the centred square whose side is `share` of the
 * shorter side (224 / 256 for the usual evaluation).
 */
export function centredSquare(imageWidth: number, imageHeight: number, share: number): Window {
  const side = Math.max(1, roundHalfEven(Math.min(imageWidth, imageHeight) * share));
  return {
    top: roundHalfEven((imageHeight - side) / 2),
    left: roundHalfEven((imageWidth - side) / 2),
    height: side,
    width: side,
  };
}
