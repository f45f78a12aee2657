import { FLOAT, INT, op, type Tensor, tf, watchLayers } from './tf.js';

/** Layers in the order in which they are computed, and whether all that each gives is finite. */
export interface LayerFlags {
  /** [L] */
  names: string[];
  /** [L] 1 or 0 */
  finite: Tensor;
}

/** Traces `work` and looks at what each of its layers gives. The innermost name of a layer is taken. */
export function finiteLayers(work: () => unknown): LayerFlags {
  const names: string[] = [];
  const flags: Tensor[] = [];
  watchLayers((path, result) => {
    if (!isFloatTensor(result)) return;
    names.push(path[path.length - 1] ?? '');
    flags.push(allFinite(result));
  }, work);
  return { names, finite: tf.stack(flags) };
}

function isFloatTensor(value: unknown): value is Tensor {
  return (
    typeof value === 'object' && value !== null && 'dataId' in value && (value as Tensor).dtype === 'float32'
  );
}

/** 1 or 0, a scalar. */
function allFinite(x: Tensor): Tensor {
  const axes = tf.tensor1d([...x.shape.keys()], 'int32');
  const all = op('All', [op('IsFinite', [x], FLOAT), axes], {
    Tidx: INT,
    keep_dims: { kind: 'bool', value: false },
  });
  return tf.cast(all, 'float32');
}
