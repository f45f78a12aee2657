import { TF_FLOAT, TF_INT32 } from '../engine/types.js';
import { expectShape, operation, type Tensor, tf, toTensor, withGradient } from './tf.js';

/**
 * Mean softmax cross-entropy over rows.
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
    const backprop = toTensor(outputs[1]);
    return {
      value: tf.mean(toTensor(outputs[0])),
      saved: [backprop],
      gradient: (dy, [backprop]) => [tf.mul(backprop, tf.div(dy, logits.shape[0]))],
    };
  });
}
