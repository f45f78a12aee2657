/** Resizing to the nearest pixel as Pillow's NEAREST picks it: what Detectron2 does to masks. */

/**
 * Where along an axis each output pixel is copied from. Positions are summed up step by step, as Pillow does: where one
 * falls between two pixels, the rounding of the sum decides.
 *
 * @param length source pixels
 * @param size output pixels
 * @returns [size] indices below `length`
 */
export function nearestIndices(length: number, size: number): Int32Array {
  const step = length / size;
  const indices = new Int32Array(size);
  let position = step * 0.5;
  for (let i = 0; i < size; i++, position += step) indices[i] = Math.min(Math.trunc(position), length - 1);
  return indices;
}
