import { matMul } from './linear.js';
import { reshape } from './reshape.js';
import { type Tensor, withGradient } from './tf.js';

/**
 * A 1 x 1 convolution as a matrix product: right also for no images, to which oneDNN's convolution gives the shape of its
 * input.
 *
 * @param x [N, H, W, I]; H and W are known
 * @param filter [1, 1, I, O]
 * @returns [N, H, W, O]
 */
export function pointwiseConv(x: Tensor, filter: Tensor): Tensor {
  const [, h, w, inputs] = x.shape;
  const outputs = filter.shape[3] as number;
  const rows = reshape(x, [-1, inputs]);
  const weight = reshape(filter, [inputs, outputs]);
  const product = withGradient([rows, weight], () => ({
    value: matMul(rows, weight, false, false),
    saved: [rows, weight],
    gradient: (dy, [rows, weight]) => [matMul(dy, weight, false, true), matMul(rows, dy, true, false)],
  }));
  return reshape(product, [-1, h, w, outputs]);
}
