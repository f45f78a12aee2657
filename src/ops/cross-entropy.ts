import { TF_FLOAT, TF_INT32 } from '../engine/types.js';
import { divisor, sideOf } from './shape.js';
import { expectShape, isClosed, operation, type Tensor, tf, toTensor, withGradient } from './tf.js';

/**
 * Mean softmax cross-entropy over rows; 0 when R is open and there are none.
 *
 * @param logits [R, C]
 * @param labels [R] int32, 0 to C - 1
 * @returns scalar
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  expectShape('the logits of crossEntropy', logits, ['R', 'C']);
  expectShape('the labels of crossEntropy', labels, [logits.shape[0]]);
  return withGradient([logits], () => {
    const { outputs } = operation('SparseSoftmaxCrossEntropyWithLogits', [logits, labels], {
      T: { kind: 'type', value: TF_FLOAT },
      Tlabels: { kind: 'type', value: TF_INT32 },
    });
    const [each, backprop] = outputs.map(toTensor);
    const rows = isClosed(logits) ? logits.shape[0] : divisor(sideOf(logits, 0));
    return {
      value: isClosed(logits) ? tf.mean(each) : tf.div(tf.sum(each), rows),
      saved: [backprop],
      gradient: (dy, [backprop]) => [tf.mul(backprop, tf.div(dy, rows))],
    };
  });
}
