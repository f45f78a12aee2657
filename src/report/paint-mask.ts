/** A mask on a picture: its pixels are tinted, its rim is drawn in the full colour. */

import type { Rle } from '../pycocotools/mask/rle.js';
import type { Colour, Picture } from './canvas.js';

export interface MaskPaint {
  colour: Colour;
  /** Share of the colour inside, 0 to 1. */
  opacity: number;
  /** Width of the rim, pixels of the picture. */
  rim: number;
}

/**
 * @param picture is changed; `zoom` times as large as the mask
 * @param zoom whole number
 */
export function paintMask(picture: Picture, mask: Rle, zoom: number, paint: MaskPaint): void {
  const inside = expand(mask);
  const columns = range(inside, mask);
  const rim = Math.max(1, Math.round(paint.rim));
  const at = (x: number, y: number): boolean =>
    x >= 0 &&
    y >= 0 &&
    x < picture.width &&
    y < picture.height &&
    inside[Math.floor(x / zoom) * mask.height + Math.floor(y / zoom)] === 1;
  for (let x = columns.first * zoom; x < columns.end * zoom; x++) {
    for (let y = 0; y < picture.height; y++) {
      if (!at(x, y)) continue;
      const onRim = !(at(x - rim, y) && at(x + rim, y) && at(x, y - rim) && at(x, y + rim));
      blend(picture, x, y, paint.colour, onRim ? 1 : paint.opacity);
    }
  }
}

function blend({ data, width }: Picture, x: number, y: number, colour: Colour, share: number): void {
  const pixel = (y * width + x) * 3;
  for (let c = 0; c < 3; c++) {
    data[pixel + c] = Math.round((1 - share) * data[pixel + c] + share * colour[c]);
  }
}

/** Column by column, as the runs go. @returns [width, height] ones and zeros */
function expand({ width, height, counts }: Rle): Uint8Array {
  const dense = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < counts.length; at += counts[i++]) {
    if (i % 2 === 1) dense.fill(1, at, at + counts[i]);
  }
  return dense;
}

/** The columns that hold a one: from `first` to before `end`. */
function range(dense: Uint8Array, { height }: Rle): { first: number; end: number } {
  const first = dense.indexOf(1);
  if (first < 0) return { first: 0, end: 0 };
  return { first: Math.floor(first / height), end: Math.floor(dense.lastIndexOf(1) / height) + 1 };
}
