/** Random boxes for tests. */

import type { RandomStream } from '../../../src/core/rng.js';

/** [count, 4] xyxy; corners up to a tenth outside of the image. */
export function randomBoxes(
  stream: RandomStream,
  count: number,
  height: number,
  width: number,
): Float32Array {
  const boxes = new Float32Array(4 * count);
  for (let i = 0; i < count; i++) {
    const [x, y] = [stream.between(-0.1, 0.95) * width, stream.between(-0.1, 0.95) * height];
    // Sides of all magnitudes.
    const side = () => Math.exp(stream.between(Math.log(2), Math.log(0.8 * Math.min(height, width))));
    boxes.set([x, y, x + side(), y + side()], 4 * i);
  }
  return boxes;
}
