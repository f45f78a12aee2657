import { matMul } from './linear.js';
import { reshape } from './reshape.js';
import { sideOf } from './shape.js';
import { expectShape, FLOAT, op, type Tensor, tf, withGradient } from './tf.js';

const ATTRIBUTES = {
  ...FLOAT,
  strides: { kind: 'ints', value: [1, 2, 2, 1] },
  padding: { kind: 'string', value: 'VALID' },
  data_format: { kind: 'string', value: 'NHWC' },
} as const;

/**
 * Transposed 2 x 2 convolution with stride 2: every cell becomes 2 x 2 cells, which do not overlap. TensorFlow has it as the
 * gradient of the convolution that goes the other way.
 *
 * @param x [N, H, W, I]
 * @param filter [2, 2, O, I]: PyTorch's [I, O, 2, 2], as a filter of the way back
 * @returns [N, 2H, 2W, O]
 */
export function convTranspose2x2(x: Tensor, filter: Tensor): Tensor {
  const [, , outputs, inputs] = filter.shape;
  expectShape('the filter of convTranspose2x2', filter, [2, 2, outputs, inputs]);
  expectShape('the input of convTranspose2x2', x, ['N', 'H', 'W', inputs]);
  return withGradient([x, filter], () => {
    const twice = (axis: number) => tf.mul(sideOf(x, axis), tf.scalar(2, 'int32'));
    const size = tf.stack([sideOf(x, 0), twice(1), twice(2), tf.scalar(outputs, 'int32')]);
    return {
      value: op('Conv2DBackpropInput', [size, filter, x], ATTRIBUTES),
      saved: [x, filter],
      gradient: (dy, [x, filter]) => [
        gatherFrom(dy, filter, x),
        op('Conv2DBackpropFilter', [dy, tf.tensor1d(filter.shape, 'int32'), x], ATTRIBUTES),
      ],
    };
  });
}

/**
 * The gradient of `x`: a convolution with stride 2. Where N is open it is a matrix product of 2 x 2 cells, because oneDNN's
 * convolution of nothing has the wrong shape.
 */
function gatherFrom(dy: Tensor, filter: Tensor, x: Tensor): Tensor {
  const [n, h, w, inputs] = x.shape;
  if ((n as number) >= 0 || h < 0 || w < 0) return op('Conv2D', [dy, filter], ATTRIBUTES);
  const cells = op('SpaceToDepth', [dy], {
    ...FLOAT,
    block_size: { kind: 'int', value: 2 },
    data_format: { kind: 'string', value: 'NHWC' },
  });
  const rows = 4 * (filter.shape[2] as number);
  const product = matMul(reshape(cells, [-1, rows]), tf.reshape(filter, [rows, inputs]), false, false);
  return reshape(product, [-1, h, w, inputs]);
}
