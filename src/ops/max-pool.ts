import { paddingAttributes } from './conv2d.js';
import { recomputed } from './recompute.js';
import { expectShape, FLOAT, op, type Tensor, withGradient } from './tf.js';

/**
 * Max-pooling with explicit, symmetric padding; padded positions never win, as in PyTorch.
 *
 * @param x [N, H, W, C]
 * @returns [N, (H + 2 padding - size) / stride + 1, ..., C]
 */
export function maxPool(x: Tensor, size: number, stride: number, padding: number): Tensor {
  expectShape('the input of maxPool', x, ['N', 'H', 'W', 'C']);
  const attributes = {
    ...FLOAT,
    ksize: { kind: 'ints', value: [1, size, size, 1] },
    strides: { kind: 'ints', value: [1, stride, stride, 1] },
    data_format: { kind: 'string', value: 'NHWC' },
    ...paddingAttributes(padding),
  } as const;
  return withGradient([x], () => {
    const value = op('MaxPool', [x], attributes);
    return {
      value,
      saved: [x, value],
      gradient: (dy, [x, y]) => [op('MaxPoolGrad', [recomputed(x, dy), y, dy], attributes)],
    };
  });
}
