/** Writes pictures for reports and data set makers. */

import { sharp } from './sharp.js';
import type { RawImage } from './types.js';

/** @param image [height, width, 3] */
export function encodePng(image: RawImage): Promise<Uint8Array> {
  return fromRaw(image).png({ compressionLevel: 9 }).toBuffer();
}

/**
 * @param image [height, width, 3]
 * @param quality 1..100
 */
export function encodeJpeg(image: RawImage, quality = 90): Promise<Uint8Array> {
  return fromRaw(image).jpeg({ quality }).toBuffer();
}

function fromRaw({ data, width, height }: RawImage): ReturnType<typeof sharp> {
  return sharp(data, { raw: { width, height, channels: 3 } });
}
