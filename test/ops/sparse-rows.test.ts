/** The sparse product against a dense one, and its gradient, which comes from the transpose that is handed in. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import type { InputSpec } from '../../src/engine/step.js';
import { type SparseMatrix, sparseProduct } from '../../src/ops/sparse-rows.js';
import { type Tensor, tf } from '../../src/ops/tf.js';
import { expectClose, randomArray } from '../helpers/arrays.js';
import { checkGradients, type Operand, openRuntime, operand } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

interface Rows {
  rowPointers: Int32Array;
  columns: Int32Array;
  values: Float32Array;
}

/** A dense matrix in compressed rows; zeros are left out. */
function compressed({ shape: [rows, columns], data }: Operand): Rows {
  const pointers = [0];
  const found: { column: number; value: number }[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = data[row * columns + column];
      if (value !== 0) found.push({ column, value });
    }
    pointers.push(found.length);
  }
  return {
    rowPointers: Int32Array.from(pointers),
    columns: Int32Array.from(found, ({ column }) => column),
    values: Float32Array.from(found, ({ value }) => value),
  };
}

function transposed({ shape: [rows, columns], data }: Operand): Operand {
  const flipped = Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]);
  return { shape: [columns, rows], data: Float32Array.from(flipped) };
}

/** A third of the elements; some rows and columns are empty, and so is the last of both. */
function sparse(rows: number, columns: number): Operand {
  const values = randomArray(rows * columns, 'values');
  const isEmpty = (i: number, count: number) => i % 4 === 1 || i === count - 1;
  const data = values.map((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return isEmpty(row, rows) || isEmpty(column, columns) || (3 * row + column) % 3 !== 0 ? 0 : value;
  });
  return { shape: [rows, columns], data };
}

const asTensors = ({ rowPointers, columns, values }: Rows) => ({
  rowPointers: tf.tensor1d(rowPointers, 'int32'),
  columns: tf.tensor1d(columns, 'int32'),
  values: tf.tensor1d(values, 'float32'),
});

function both(dense: Operand): { matrix: Rows; transpose: Rows } {
  return { matrix: compressed(dense), transpose: compressed(transposed(dense)) };
}

const SPARSE: Record<string, InputSpec> = {};
for (const part of ['matrix', 'transpose']) {
  SPARSE[`${part}.rowPointers`] = { type: 'int32', shape: [-1] };
  SPARSE[`${part}.columns`] = { type: 'int32', shape: [-1] };
  SPARSE[`${part}.values`] = { type: 'float32', shape: [-1] };
}

function fedMatrix(fed: Record<string, Tensor>): SparseMatrix {
  const rows = (part: string) => ({
    rowPointers: fed[`${part}.rowPointers`],
    columns: fed[`${part}.columns`],
    values: fed[`${part}.values`],
  });
  return { matrix: rows('matrix'), transpose: rows('transpose') };
}

it('is the dense product, and its gradient the product with the transpose', async () => {
  const dense = sparse(9, 14);
  const { matrix, transpose } = both(dense);
  await checkGradients(runtime, [operand([14, 5], 'x')], (x) => {
    const y = sparseProduct({ matrix: asTensors(matrix), transpose: asTensors(transpose) }, x);
    return tf.reshape(y, [9, 5]);
  });
});

it('takes any number of rows, columns and elements: none too', async () => {
  const inputs = { ...SPARSE, x: { type: 'float32', shape: [-1, 3] } as const };
  const step = runtime.compile<string, string>('open', inputs, (fed) => {
    const y = sparseProduct(fedMatrix(fed), fed.x);
    expect(y.shape).toEqual([-1, 3]);
    return { y };
  });
  for (const [rows, columns] of [
    [7, 10],
    [1, 1],
    [20, 3],
    [0, 5],
    [3, 5],
  ]) {
    const dense = sparse(rows, columns);
    const x = operand([columns, 3], 'x');
    const fed: Record<string, Float32Array | Int32Array> = { x: x.data };
    for (const [part, arrays] of Object.entries(both(dense))) {
      for (const [key, array] of Object.entries(arrays)) fed[`${part}.${key}`] = array;
    }
    const { y } = await step.runWithShapes(fed);
    expect(y.shape).toEqual([rows, 3]);
    const literal = Array.from({ length: rows * 3 }, (_, i) => {
      const [row, feature] = [Math.floor(i / 3), i % 3];
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += dense.data[row * columns + c] * x.data[3 * c + feature];
      return sum;
    });
    expectClose(y.data as Float32Array, literal);
  }
});
