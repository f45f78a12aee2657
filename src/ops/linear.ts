import { biasAdd } from './bias-add.js';
import { expectShape, FLOAT, op, type Tensor, withGradient } from './tf.js';

/**
 * x W^T + b, with the weight as PyTorch keeps it.
 *
 * @param x [R, I]
 * @param weight [O, I]
 * @param bias [O]
 * @returns [R, O]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  expectShape('the input of linear', x, ['R', weight.shape[1] as number]);
  const product = withGradient([x, weight], () => ({
    value: matMul(x, weight, false, true),
    saved: [x, weight],
    gradient: (dy, [x, weight]) => [matMul(dy, weight, false, false), matMul(dy, x, true, false)],
  }));
  return bias === undefined ? product : biasAdd(product, bias);
}

/** A product of matrices, or of their transposes, without a gradient. */
export function matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor {
  return op('MatMul', [a, b], {
    ...FLOAT,
    transpose_a: { kind: 'bool', value: transposeA },
    transpose_b: { kind: 'bool', value: transposeB },
  });
}
