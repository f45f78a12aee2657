import type { Rle } from './rle.js';

/** The shape of an object: parts x0, y0, x1, y1, ... in pixels, or the runs of a mask as large as the image. */
export type Outline = { readonly polygons: readonly ArrayLike<number>[] } | { readonly runs: Rle };
