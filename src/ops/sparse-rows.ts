/**
 * A sparse matrix times a dense one. The backward pass multiplies by the transpose, which the host makes as well: TensorFlow's
 * product with a transposed sparse matrix uses one thread, and so does its product with a matrix of coordinates.
 *
 * A sparse matrix cannot be fed: it comes as three arrays and is put together here.
 */

import { ensureShape, sideOf } from './shape.js';
import { expectShape, FLOAT, INT, op, operation, type Tensor, TF_INT64, tf, withGradient } from './tf.js';

/** A matrix of R rows in compressed sparse rows. Constant: no gradient reaches it. */
export interface SparseRows {
  /** [R + 1] int32: where each row begins among the elements, and where the last ends */
  rowPointers: Tensor;
  /** [elements] int32, ascending within a row */
  columns: Tensor;
  /** [elements] float32 */
  values: Tensor;
}

/** A matrix and its transpose. */
export interface SparseMatrix {
  matrix: SparseRows;
  transpose: SparseRows;
}

const LONG = { kind: 'type', value: TF_INT64 } as const;

/**
 * @param sparse [R, C]
 * @param x [C, F]; C may be open
 * @returns [R, F]
 */
export function sparseProduct({ matrix, transpose }: SparseMatrix, x: Tensor): Tensor {
  const features = x.shape[1] as number;
  expectShape('the dense factor of sparseProduct', x, ['C', features]);
  return withGradient([x], () => {
    const columns = sideOf(x, 0);
    const rows = tf.sub(sideOf(matrix.rowPointers, 0), tf.scalar(1, 'int32'));
    return {
      value: product(matrix, [rows, columns], x, features),
      saved: [],
      gradient: (dy) => [product(transpose, [columns, rows], dy, features)],
    };
  });
}

function product(matrix: SparseRows, [rows, columns]: [Tensor, Tensor], x: Tensor, features: number): Tensor {
  // TensorFlow's kernel ends the process when there is no row.
  const shape = tf.stack([tf.maximum(rows, tf.scalar(1, 'int32')), columns]);
  const indices = tf.stack([rowsOf(matrix), matrix.columns], 1);
  // 64-bit integers and the sparse matrix stay raw outputs: tfjs has no tensors of these types.
  const inputs = [long(indices), matrix.values, long(shape)];
  const [sparse] = operation('SparseTensorToCSRSparseMatrix', inputs, FLOAT).outputs;
  const begin = tf.tensor1d([0, 0], 'int32');
  const size = tf.stack([rows, tf.scalar(features, 'int32')]);
  const y = op('Slice', [op('SparseMatrixMatMul', [sparse, x], FLOAT), begin, size], {
    ...FLOAT,
    Index: INT,
  });
  return ensureShape(y, [-1, features]);
}

/** The row of each element: how many rows end at or before it. */
function rowsOf({ rowPointers, columns }: SparseRows): Tensor {
  const ends = op('Slice', [rowPointers, tf.tensor1d([1], 'int32'), tf.tensor1d([-1], 'int32')], {
    T: INT,
    Index: INT,
  });
  const places = op('Range', [tf.scalar(0, 'int32'), sideOf(columns, 0), tf.scalar(1, 'int32')], {
    Tidx: INT,
  });
  const rows = op('UpperBound', [tf.expandDims(ends, 0), tf.expandDims(places, 0)], {
    T: INT,
    out_type: INT,
  });
  return op('Reshape', [rows, tf.tensor1d([-1], 'int32')], { T: INT, Tshape: INT });
}

function long(x: Tensor) {
  return operation('Cast', [x], { SrcT: INT, DstT: LONG }).outputs[0];
}
