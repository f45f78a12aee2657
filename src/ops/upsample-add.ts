import { shapeOf } from './shape.js';
import { expectShape, FLOAT, INT, op, type Tensor, tf, withGradient } from './tf.js';

/** Every cell stands for the 2 x 2 cells that it was repeated to. */
const POOL = {
  ...FLOAT,
  ksize: { kind: 'ints', value: [1, 2, 2, 1] },
  strides: { kind: 'ints', value: [1, 2, 2, 1] },
  padding: { kind: 'string', value: 'VALID' },
  data_format: { kind: 'string', value: 'NHWC' },
} as const;

/**
 * lateral + top, each cell of top repeated 2 x 2: a feature pyramid's way down (Lin et al., 2017). The gradient of repeating
 * is a sum over 2 x 2 cells, which is four times their average: TensorFlow pools with all threads, unlike its
 * `ResizeNearestNeighborGrad`.
 *
 * @param lateral [N, 2H, 2W, C]
 * @param top [N, H, W, C]
 */
export function upsampleAdd(lateral: Tensor, top: Tensor): Tensor {
  const [n, h, w, c] = top.shape;
  expectShape('the lateral map of upsampleAdd', lateral, [n, 2 * h, 2 * w, c]);
  return withGradient([lateral, top], () => {
    const index = INT;
    const sides = [tf.tensor1d([1], 'int32'), tf.tensor1d([2], 'int32')];
    const size = op('Slice', [shapeOf(lateral), ...sides], { T: index, Index: index });
    const repeated = op('ResizeNearestNeighbor', [top, size], {
      ...FLOAT,
      align_corners: { kind: 'bool', value: false },
      half_pixel_centers: { kind: 'bool', value: false },
    });
    return {
      value: op('AddV2', [lateral, repeated], FLOAT),
      saved: [],
      gradient: (dy) => [dy, op('Mul', [op('AvgPool', [dy], POOL), tf.scalar(4)], FLOAT)],
    };
  });
}
