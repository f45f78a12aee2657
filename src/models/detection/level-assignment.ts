/**
 * Which level of the pyramid a box is pooled from (Lin et al., Feature Pyramid Networks, 2017, equation 1): the one on
 * which a box of 224 pixels, ImageNet's size, is as large in cells as on a classifier's res4. Computed in float32 as
 * Detectron2 does, whose offset keeps an empty box from a logarithm of 0.
 */

const CANONICAL_SIZE = 224;
const CANONICAL_LEVEL = 4;
const OFFSET = 1e-8;

/**
 * @param boxes [R, 4] xyxy in pixels of the padded input
 * @param lowest, highest levels that are pooled: p2 to p5
 * @returns [R] level minus the lowest
 */
export function assignLevels(boxes: Float32Array, lowest = 2, highest = 5): Uint8Array {
  const levels = new Uint8Array(boxes.length / 4);
  for (let r = 0; r < levels.length; r++) {
    const width = Math.fround(boxes[4 * r + 2] - boxes[4 * r]);
    const height = Math.fround(boxes[4 * r + 3] - boxes[4 * r + 1]);
    const side = Math.fround(Math.sqrt(Math.fround(width * height)));
    const ratio = Math.fround(Math.fround(side / CANONICAL_SIZE) + OFFSET);
    const level = Math.floor(Math.fround(CANONICAL_LEVEL + Math.fround(Math.log2(ratio))));
    levels[r] = Math.min(Math.max(level, lowest), highest) - lowest;
  }
  return levels;
}
