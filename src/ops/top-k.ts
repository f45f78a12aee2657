import { sideOf } from './shape.js';
import { expectShape, FLOAT, INT, op, operation, type Tensor, TF_FLOAT, tf, toTensor } from './tf.js';

/**
 * The k largest of each row, or all where a row has fewer; of equals the first comes first. There is no gradient.
 *
 * @param x [R, C], C may be open
 * @returns both [R, min(k, C)]; values descend
 */
export function topK(x: Tensor, k: number): { values: Tensor; indices: Tensor } {
  expectShape('the input of topK', x, ['R', 'C']);
  const count = tf.minimum(sideOf(x, 1), tf.scalar(k, 'int32'));
  const attributes = { ...FLOAT, Tk: INT, index_type: INT, sorted: { kind: 'bool', value: true } } as const;
  const [values, indices] = operation('TopKV2', [x, count], attributes).outputs.map(toTensor);
  return { values, indices };
}

/**
 * Elements of each row. There is no gradient.
 *
 * @param x [R, C, ...] float32
 * @param indices [R, K] int32, 0 to C - 1
 * @returns [R, K, ...]
 */
export function takeAlong(x: Tensor, indices: Tensor): Tensor {
  return op('GatherV2', [x, indices, tf.scalar(1, 'int32')], {
    Tparams: { kind: 'type', value: TF_FLOAT },
    Tindices: INT,
    Taxis: INT,
    batch_dims: { kind: 'int', value: 1 },
  });
}
