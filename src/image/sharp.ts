/**
 * The one place where sharp is set up. Several pictures are in flight at once, so each gets one thread; nothing is read
 * twice within a run, so libvips keeps no cache.
 *
 * Choices, all as in the reference's PIL code: an alpha channel is dropped, not composited (`convert('RGB')`); embedded
 * colour profiles of RGB pictures are ignored; of several frames the first is used. A file that ends too early is an error.
 */

import { access, constants, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Sharp, default as SharpLibrary, SharpOptions } from 'sharp';
import { errorMessage, hasCode } from '../core/errors.js';
import { ImageError } from './types.js';

/** About 268 million: a 16,383 px square. Beyond it one picture would need more than 800 MB. */
export const MAX_PIXELS = 0x3fff * 0x3fff;

/** Such a picture is only complete at its end: all of it is held at full depth, and a few bytes may claim a large one. */
export const MAX_PROGRESSIVE_PIXELS = 50_000_000;

const require = createRequire(import.meta.url);
let library: typeof SharpLibrary | undefined;

/** sharp, loaded and set up on first use: to import this costs nothing, and changes nothing for others who use sharp. */
export function sharp(input: string | Uint8Array, options: SharpOptions): Sharp {
  if (library === undefined) {
    library = require('sharp') as typeof SharpLibrary;
    library.concurrency(1);
    library.cache(false);
  }
  return library(input, options);
}

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

/**
 * Makes a failure of sharp on a file an `ImageError`. The reason is our own: libvips keeps one error text for all threads,
 * so with several files in flight its words may be about another one. They are kept as the cause.
 *
 * @param problem the reason when the file can be read and holds something
 */
export async function explainFailure(path: string, problem: string, cause: unknown): Promise<ImageError> {
  try {
    await access(path, constants.R_OK);
    return new ImageError(path, (await stat(path)).size === 0 ? 'the file is empty' : problem, cause);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return new ImageError(path, 'there is no such file', cause);
    if (hasCode(error, 'EACCES', 'EPERM')) return new ImageError(path, 'permission denied', cause);
    return new ImageError(path, errorMessage(error), cause);
  }
}
