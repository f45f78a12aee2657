/**
 * The one place where sharp is set up. Several pictures are in flight at once, so each gets one thread; nothing is read
 * twice within a run, so libvips keeps no cache.
 *
 * Choices, all as in the reference's PIL code: an alpha channel is dropped, not composited (`convert('RGB')`); embedded
 * colour profiles of RGB pictures are ignored; of several frames the first is used. A file that ends too early is an error.
 */

import sharp, { type Sharp } from 'sharp';
import { errorMessage } from '../core/errors.js';
import { ImageError } from './types.js';

sharp.concurrency(1);
sharp.cache(false);

/** About 268 million: a 16,383 px square. Beyond it one picture would need more than 800 MB. */
export const MAX_PIXELS = 0x3fff * 0x3fff;

/** Opens a file for decoding to upright 8-bit sRGB. */
export function openImage(source: string): Sharp {
  return sharp(source, {
    autoOrient: true,
    failOn: 'error',
    ignoreIcc: true,
    limitInputPixels: MAX_PIXELS,
    sequentialRead: true,
  });
}

/** Makes any failure of sharp on a file an `ImageError` whose reason is one short line. */
export function toImageError(path: string, error: unknown): ImageError {
  const reason = errorMessage(error)
    .split('\n', 1)[0]
    .trim()
    .replaceAll(path, '')
    .replace(/^[:\s]+|[:\s]+$/g, '');
  return new ImageError(path, reason === '' ? 'cannot be decoded' : reason, error);
}

export { sharp };
