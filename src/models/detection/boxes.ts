/** Small operations on flat arrays of boxes [n, 4], xyxy in pixels. */

/** Moves corners into [0, width] x [0, height], in place; returns its argument. */
export function clipBoxes(boxes: Float32Array, width: number, height: number): Float32Array {
  for (let i = 0; i < boxes.length; i += 2) {
    boxes[i] = Math.min(Math.max(boxes[i], 0), width);
    boxes[i + 1] = Math.min(Math.max(boxes[i + 1], 0), height);
  }
  return boxes;
}

/** Whether box `i` has an area. */
export function hasArea(boxes: Float32Array, i: number): boolean {
  return boxes[4 * i + 2] > boxes[4 * i] && boxes[4 * i + 3] > boxes[4 * i + 1];
}
