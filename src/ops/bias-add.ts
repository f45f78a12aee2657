import { expectShape, FLOAT, INT, op, type Tensor, tf, withGradient } from './tf.js';

/**
 * x + bias, one value for each channel, the last axis.
 *
 * @param x [..., C]
 * @param bias [C]
 */
export function biasAdd(x: Tensor, bias: Tensor): Tensor {
  expectShape('the bias', bias, [x.shape[x.shape.length - 1]]);
  return withGradient([x, bias], () => ({
    value: op('BiasAdd', [x, bias], FLOAT),
    saved: [],
    gradient: (dy) => [dy, x.shape[0] === -1 ? sumOfRows(dy) : op('BiasAddGrad', [dy], FLOAT)],
  }));
}

/**
 * `BiasAddGrad` for a batch that may be empty. TensorFlow computes that one together with a convolution's filter gradient, which
 * for an empty batch has no such output.
 */
function sumOfRows(dy: Tensor): Tensor {
  const axes = dy.shape.slice(0, -1).map((_, axis) => axis);
  return op('Sum', [dy, tf.tensor1d(axes, 'int32')], {
    ...FLOAT,
    Tidx: INT,
    keep_dims: { kind: 'bool', value: false },
  });
}
