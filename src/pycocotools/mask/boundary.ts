/** The boundary of a mask: its pixels within a distance of its contour (Boundary IoU, CVPR 2021, section 3). */

import { decode, encode, type Rle, toBox } from './rle.js';

/**
 * @param dilationRatio distance as a share of the image's diagonal; 0.02 in the paper
 * @returns the mask without what is left after eroding it 3 x 3 that many times; outside the image counts as no mask
 */
export function boundaryOf(mask: Rle, dilationRatio: number): Rle {
  const { height, width } = mask;
  const [left, top, w, h] = toBox(mask);
  const distance = Math.max(1, Math.round(dilationRatio * Math.hypot(height, width)));
  const dense = decode(mask);
  // Eroding n times by 3 x 3 keeps what has only ones within n rows and columns: first along columns, then along rows.
  const kept = new Uint8Array(dense.length);
  const vertical = new Uint8Array(dense.length);
  for (let x = left; x < left + w; x++) {
    const column = x * height;
    let run = 0;
    for (let y = top; y < top + h; y++) {
      run = dense[column + y] === 0 ? 0 : run + 1;
      if (run > 2 * distance) vertical[column + y - distance] = 1;
    }
  }
  for (let y = top; y < top + h; y++) {
    let run = 0;
    for (let x = left; x < left + w; x++) {
      run = vertical[x * height + y] === 0 ? 0 : run + 1;
      if (run > 2 * distance) kept[(x - distance) * height + y] = 1;
    }
  }
  for (let i = 0; i < dense.length; i++) dense[i] &= kept[i] ^ 1;
  return encode(dense, height, width);
}
