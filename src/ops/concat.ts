import { shapeOf } from './shape.js';
import { INT, op, operation, type Tensor, tf, toOutput, toTensor, withGradient } from './tf.js';

/** Joins tensors of one type along an axis. Unlike tfjs's own, sides may be open. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  return withGradient(tensors, () => {
    const shapes = tensors.map(shapeOf);
    const along = tf.scalar(axis, 'int32');
    const T = { kind: 'type', value: toOutput(tensors[0]).dtype } as const;
    return {
      value: op('ConcatV2', [tensors, along], { T, Tidx: INT }),
      saved: [],
      gradient(dy) {
        const offsets = operation('ConcatOffset', [along, shapes]).outputs.map(toTensor);
        return shapes.map((shape, i) => op('Slice', [dy, offsets[i], shape], { T, Index: INT }));
      },
    };
  });
}
