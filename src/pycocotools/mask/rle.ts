/**
 * Binary masks as run lengths (COCO's RLE): what pycocotools' C code computes, on typed arrays.
 *
 * A mask of h rows and w columns is read column by column. `counts` alternates runs of zeros and ones and starts with
 * zeros, so the first count may be 0. Runs of length 0 elsewhere are legal. All values are 32-bit unsigned.
 */

/** A run-length mask. */
export interface Rle {
  /** Rows h. */
  readonly height: number;
  /** Columns w. */
  readonly width: number;
  readonly counts: Uint32Array;
}

/** A box [x, y, width, height] in pixels; x to the right, y down. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** @param mask column-major, zero or not */
export function encode(mask: Uint8Array, height: number, width: number): Rle {
  if (mask.length !== height * width) {
    throw new RangeError(`a mask of ${height} x ${width} has ${height * width} pixels, not ${mask.length}`);
  }
  const counts: number[] = [];
  let value = 0;
  let start = 0;
  for (let i = 0; i < mask.length; i++) {
    const current = mask[i] === 0 ? 0 : 1;
    if (current === value) continue;
    counts.push(i - start);
    start = i;
    value = current;
  }
  counts.push(mask.length - start);
  return { height, width, counts: Uint32Array.from(counts) };
}

/**
 * The dense mask, column-major, ones and zeros. Runs that end early leave zeros (pycocotools: whatever was in memory).
 *
 * @throws RangeError when the runs exceed the mask
 */
export function decode({ height, width, counts }: Rle): Uint8Array {
  const mask = new Uint8Array(height * width);
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const end = at + counts[i];
    if (end > mask.length) {
      throw new RangeError(
        `invalid RLE: its runs cover more than the ${mask.length} pixels of ${height} x ${width}`,
      );
    }
    if ((i & 1) === 1) mask.fill(1, at, end);
    at = end;
  }
  return mask;
}

/** Number of ones. */
export function area({ counts }: Rle): number {
  let sum = 0;
  for (let i = 1; i < counts.length; i += 2) sum += counts[i];
  return sum >>> 0;
}

/** The tight box; zeros for a mask without ones (where pycocotools may wrap around). */
export function toBox({ height, counts }: Rle): [number, number, number, number] {
  const pairs = counts.length >> 1;
  let left = Number.POSITIVE_INFINITY;
  let right = -1;
  let top = height;
  let bottom = -1;
  let at = 0;
  for (let i = 0; i < pairs; i++) {
    const start = at + counts[2 * i];
    at = start + counts[2 * i + 1];
    if (at === start) continue;
    const firstColumn = Math.floor(start / height);
    const lastColumn = Math.floor((at - 1) / height);
    left = Math.min(left, firstColumn);
    right = Math.max(right, lastColumn);
    if (firstColumn !== lastColumn) {
      top = 0;
      bottom = height - 1;
    } else {
      top = Math.min(top, start - firstColumn * height);
      bottom = Math.max(bottom, at - 1 - lastColumn * height);
    }
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

/**
 * Union of masks, or their intersection. No mask, or masks of different sizes, give an empty mask of size 0 x 0,
 * as in pycocotools.
 */
export function merge(masks: readonly Rle[], intersect = false): Rle {
  if (masks.length === 0) return { height: 0, width: 0, counts: new Uint32Array() };
  let merged = masks[0];
  for (const next of masks.slice(1)) {
    if (next.height !== merged.height || next.width !== merged.width) {
      return { height: 0, width: 0, counts: new Uint32Array() };
    }
    merged = mergeTwo(merged, next, intersect);
  }
  return masks.length === 1 ? { ...merged, counts: merged.counts.slice() } : merged;
}

function mergeTwo(a: Rle, b: Rle, intersect: boolean): Rle {
  const out: number[] = [];
  let leftA = a.counts.length > 0 ? a.counts[0] : 0;
  let leftB = b.counts.length > 0 ? b.counts[0] : 0;
  let nextA = 1;
  let nextB = 1;
  let inA = false;
  let inB = false;
  let inside = false;
  let run = 0;
  let remaining = 1;
  while (remaining > 0) {
    // A mask whose runs end early is empty from there on; with the shorter of both, pycocotools never ends here.
    const endA = leftA === 0 && nextA >= a.counts.length;
    const endB = leftB === 0 && nextB >= b.counts.length;
    const step = endA ? leftB : endB ? leftA : Math.min(leftA, leftB);
    run += step;
    remaining = 0;
    leftA -= endA ? 0 : step;
    if (leftA === 0 && nextA < a.counts.length) {
      leftA = a.counts[nextA++];
      inA = !inA;
    } else if (leftA === 0) inA = false;
    remaining += leftA;
    leftB -= endB ? 0 : step;
    if (leftB === 0 && nextB < b.counts.length) {
      leftB = b.counts[nextB++];
      inB = !inB;
    } else if (leftB === 0) inB = false;
    remaining += leftB;
    const before: boolean = inside;
    inside = intersect ? inA && inB : inA || inB;
    if (inside !== before || remaining === 0) {
      out.push(run);
      run = 0;
    }
  }
  return { height: a.height, width: a.width, counts: Uint32Array.from(out) };
}
