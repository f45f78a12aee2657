/** Images of several sizes as one block. */

import type { RawImage } from '../image/types.js';

/** N images; H and W are multiples of 32, which every stride of a feature pyramid up to p5 divides. */
export interface PaddedImages {
  /**
   * [N, H, W, 3] RGB. Right of and below each image are zero bytes, which are none any more once a mean has been subtracted:
   * whoever normalises sets them to zero again, by `sizes`.
   */
  images: Uint8Array;
  /** H */
  height: number;
  /** W */
  width: number;
  /** [N, 2] height, width of each image */
  sizes: Int32Array;
}

const DIVISIBILITY = 32;

/** @param images at least one */
export function padImages(images: readonly RawImage[]): PaddedImages {
  const height = padded(images.map((image) => image.height));
  const width = padded(images.map((image) => image.width));
  const stride = width * 3;
  const block = new Uint8Array(images.length * height * stride);
  for (const [n, image] of images.entries()) {
    const row = image.width * 3;
    for (let y = 0; y < image.height; y++) {
      block.set(image.data.subarray(y * row, (y + 1) * row), (n * height + y) * stride);
    }
  }
  const sizes = Int32Array.from(images.flatMap((image) => [image.height, image.width]));
  return { images: block, height, width, sizes };
}

function padded(sides: readonly number[]): number {
  return Math.ceil(Math.max(...sides) / DIVISIBILITY) * DIVISIBILITY;
}
