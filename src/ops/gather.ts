import { sideOf } from './shape.js';
import { expectShape, FLOAT, INT, op, type Tensor, TF_FLOAT, tf, withGradient } from './tf.js';

/**
 * Rows of x, in the order asked for; a row may be asked for more than once.
 *
 * @param x [R, ...] float32, R may be open
 * @param indices [K] int32, 0 to R - 1
 * @returns [K, ...]
 */
export function gather(x: Tensor, indices: Tensor): Tensor {
  expectShape('the indices of gather', indices, ['K']);
  return withGradient([x], () => {
    const rows = sideOf(x, 0);
    return {
      value: op('GatherV2', [x, indices, tf.scalar(0, 'int32')], {
        Tparams: { kind: 'type', value: TF_FLOAT },
        Tindices: INT,
        Taxis: INT,
      }),
      saved: [],
      gradient: (dy) => [
        op('UnsortedSegmentSum', [dy, indices, rows], { ...FLOAT, Tindices: INT, Tnumsegments: INT }),
      ],
    };
  });
}
