import { expectClosed, expectShape, type Tensor, tf, withGradient } from './tf.js';

/** Global average pooling: [N, H, W, C] to [N, C]. */
export function globalAveragePool(x: Tensor): Tensor {
  expectShape('the input of globalAveragePool', x, ['N', 'H', 'W', 'C']);
  expectClosed('the input of globalAveragePool', x);
  const [n, h, w, c] = x.shape;
  return withGradient([x], () => ({
    value: tf.mean(x, [1, 2]),
    saved: [],
    gradient: (dy) => [tf.broadcastTo(tf.reshape(tf.mul(dy, 1 / (h * w)), [n, 1, 1, c]), [n, h, w, c])],
  }));
}
