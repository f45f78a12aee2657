/**
 * How a variable holds a tensor of the state dict, where it is not as it stands there: TensorFlow wants other orders of
 * axes than PyTorch.
 */
export interface Layout {
  /** Shape in the state dict, with axes that are one there taken apart. */
  readonly view: readonly number[];
  /** Axis i inside is axis `axes[i]` of the view. */
  readonly axes: readonly number[];
  /** The variable's shape. */
  readonly inside: readonly number[];
}

/** Filters: OIHW in state dicts, HWIO inside. Those of transposed convolutions are IOHW, and HWOI inside. */
export function filterLayout(shape: readonly number[]): Layout {
  const [o, i, h, w] = shape;
  return { view: shape, axes: [2, 3, 1, 0], inside: [h, w, i, o] };
}

/**
 * The weight of a linear layer on a flattened map: PyTorch flattens [C, H, W], TensorFlow [H, W, C].
 *
 * @param map [C, H, W]
 */
export function flattenedLayout(outputs: number, map: readonly [number, number, number]): Layout {
  const [c, h, w] = map;
  return { view: [outputs, c, h, w], axes: [0, 2, 3, 1], inside: [outputs, h * w * c] };
}
