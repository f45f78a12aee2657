/**
 * Boxes as corrections of others (Girshick et al., R-CNN, 2014): the shift of the centre in sides of the source, and the
 * logarithm of the factor of each side, all times weights that bring the terms of the loss to one scale.
 *
 * Letters: R sources, K boxes for each (one for each class). All boxes are xyxy; sides have no + 1.
 */

/** Of x, y, width and height. */
export type BoxWeights = readonly [number, number, number, number];

/** Anchor to proposal. */
export const ANCHOR_WEIGHTS: BoxWeights = [1, 1, 1, 1];
/** Proposal to detection. */
export const PROPOSAL_WEIGHTS: BoxWeights = [10, 10, 5, 5];

/** The largest logarithm of a factor: a side may grow from 16 to 1000 pixels at once. Smaller sides are not bounded. */
const LARGEST_GROWTH = Math.log(1000 / 16);

/**
 * What turns each source into its target.
 *
 * @param sources, targets [R, 4]
 * @returns [R, 4] dx, dy, dw, dh
 * @throws RangeError when a box has no area, which has no logarithm
 */
export function encodeBoxes(sources: Float32Array, targets: Float32Array, weights: BoxWeights): Float32Array {
  if (sources.length !== targets.length)
    throw new RangeError(`box coder: ${sources.length / 4} sources for ${targets.length / 4} targets`);
  const deltas = new Float32Array(sources.length);
  for (let i = 0; i < sources.length; i += 4) {
    const width = sides(sources, i, 'source');
    const height = sides(sources, i + 1, 'source');
    const targetWidth = sides(targets, i, 'target');
    const targetHeight = sides(targets, i + 1, 'target');
    deltas[i] = (weights[0] * (targets[i] + targetWidth / 2 - (sources[i] + width / 2))) / width;
    deltas[i + 1] =
      (weights[1] * (targets[i + 1] + targetHeight / 2 - (sources[i + 1] + height / 2))) / height;
    deltas[i + 2] = weights[2] * Math.log(targetWidth / width);
    deltas[i + 3] = weights[3] * Math.log(targetHeight / height);
  }
  return deltas;
}

/** A box's side along the axis of position `i`. */
function sides(boxes: Float32Array, i: number, what: string): number {
  const side = boxes[i + 2] - boxes[i];
  if (side > 0) return side;
  const row = i >> 2;
  throw new RangeError(`box coder: ${what} ${row} has no area: [${boxes.subarray(4 * row, 4 * row + 4)}]`);
}

/**
 * The boxes that corrections make of the sources.
 *
 * @param sources [R, 4]
 * @param deltas [R, K 4]
 * @returns [R, K 4], not clipped
 */
export function decodeBoxes(sources: Float32Array, deltas: Float32Array, weights: BoxWeights): Float32Array {
  const boxes = new Float32Array(deltas.length);
  const perSource = sources.length === 0 ? 0 : deltas.length / (sources.length / 4);
  if (perSource % 4 !== 0)
    throw new RangeError(`box coder: ${deltas.length} numbers do not fit ${sources.length / 4} sources`);
  for (let s = 0, i = 0; s < sources.length; s += 4) {
    const width = sources[s + 2] - sources[s];
    const height = sources[s + 3] - sources[s + 1];
    const x = sources[s] + width / 2;
    const y = sources[s + 1] + height / 2;
    for (const end = i + perSource; i < end; i += 4) {
      const centreX = x + (deltas[i] / weights[0]) * width;
      const centreY = y + (deltas[i + 1] / weights[1]) * height;
      const halfWidth = (width / 2) * Math.exp(Math.min(deltas[i + 2] / weights[2], LARGEST_GROWTH));
      const halfHeight = (height / 2) * Math.exp(Math.min(deltas[i + 3] / weights[3], LARGEST_GROWTH));
      boxes[i] = centreX - halfWidth;
      boxes[i + 1] = centreY - halfHeight;
      boxes[i + 2] = centreX + halfWidth;
      boxes[i + 3] = centreY + halfHeight;
    }
  }
  return boxes;
}
