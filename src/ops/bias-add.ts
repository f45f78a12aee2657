import { expectShape, FLOAT, op, type Tensor, withGradient } from './tf.js';

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
    gradient: (dy) => [dy, op('BiasAddGrad', [dy], FLOAT)],
  }));
}
