/**
 * What the image folder hands out: facts from a header, pixels, and the window of a view.
 *
 * Coordinates are pixels of the upright picture (after the EXIF orientation), x to the right, y down, the first pixel
 * covers [0, 1). Pixels are 8-bit RGB, interleaved, row-major ([height, width, 3]).
 */

import type { Window } from '../core/boxes.js';

/** Formats that are read, in the order of their codes in a cached index: append only. */
export const IMAGE_FORMATS = ['jpeg', 'png', 'webp', 'tiff', 'gif', 'avif'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** What a header says. `width` and `height` are those of the upright picture. */
export interface ImageInfo {
  width: number;
  height: number;
  format: ImageFormat;
  /** EXIF orientation as stored, 1..8; 1 when absent. */
  orientation: number;
}

export interface RawImage {
  /** [height, width, 3] */
  data: Uint8Array;
  width: number;
  height: number;
}

/** A window of a picture that becomes one view, and whether the view is mirrored left to right afterwards. */
export interface Crop extends Window {
  flipped: boolean;
  /**
   * Whether the filter may read pixels outside the window: false as when a picture is cropped and then resized, true as
   * when it is resized and then cropped. Default false.
   */
  context?: boolean;
}

/** A file that cannot be used as a picture. Not a bug and not fatal: callers skip the file, count it and list it. */
export class ImageError extends Error {
  readonly path: string;
  /** One line without the path. */
  readonly reason: string;

  constructor(path: string, reason: string, cause?: unknown) {
    super(`${path}: ${reason}`, cause === undefined ? {} : { cause });
    this.name = 'ImageError';
    this.path = path;
    this.reason = reason;
  }
}
