/**
 * Sparse matrices by compressed rows (CSR), as the host makes them and the graph multiplies with them. A matrix travels
 * with its transpose, because the backward pass of a product with A is a product with A's transpose, and TensorFlow is
 * faster with one that is laid out by rows than when it has to turn the matrix round (`docs/decisions.md`).
 */

/** A matrix of m rows; the number of columns is known from its use. */
export interface CsrMatrix {
  /** [m + 1] entries of row r lie from `rowPointers[r]` to before `rowPointers[r + 1]`. */
  readonly rowPointers: Int32Array;
  /** [entries] column of each entry, ascending within a row. */
  readonly columns: Int32Array;
  /** [entries] */
  readonly values: Float32Array;
}

/**
 * The transpose, entries of a row in ascending order of their columns.
 *
 * @param columns of the matrix, which become rows
 */
export function transposeCsr({ rowPointers, columns, values }: CsrMatrix, columnCount: number): CsrMatrix {
  const pointers = new Int32Array(columnCount + 1);
  for (const column of columns) pointers[column + 1]++;
  for (let column = 0; column < columnCount; column++) pointers[column + 1] += pointers[column];
  const next = pointers.slice(0, columnCount);
  const rows = new Int32Array(columns.length);
  const moved = new Float32Array(columns.length);
  for (let row = 0; row + 1 < rowPointers.length; row++) {
    for (let i = rowPointers[row]; i < rowPointers[row + 1]; i++) {
      const at = next[columns[i]]++;
      rows[at] = row;
      moved[at] = values[i];
    }
  }
  return { rowPointers: pointers, columns: rows, values: moved };
}

/** A matrix that is written row by row, and grows as it needs to. */
export class CsrBuilder {
  readonly #rowPointers: Int32Array;
  #columns: Int32Array;
  #values: Float32Array;
  #rows = 0;
  #entries = 0;

  /** @param rows that will be written  @param entries that are expected */
  constructor(rows: number, entries: number) {
    this.#rowPointers = new Int32Array(rows + 1);
    this.#columns = new Int32Array(entries);
    this.#values = new Float32Array(entries);
  }

  /** Makes room for this many entries more. */
  reserve(more: number): void {
    const needed = this.#entries + more;
    if (needed <= this.#columns.length) return;
    const columns = new Int32Array(Math.max(needed, 2 * this.#columns.length));
    const values = new Float32Array(columns.length);
    columns.set(this.#columns);
    values.set(this.#values);
    this.#columns = columns;
    this.#values = values;
  }

  /** Adds an entry to the current row; columns must ascend. Room must have been reserved. */
  add(column: number, value: number): void {
    this.#columns[this.#entries] = column;
    this.#values[this.#entries++] = value;
  }

  endRow(): void {
    this.#rowPointers[++this.#rows] = this.#entries;
  }

  /** @throws Error when there are more or fewer rows than were announced */
  finish(): CsrMatrix {
    if (this.#rows !== this.#rowPointers.length - 1)
      throw new Error(`CSR: ${this.#rows} rows were written, not ${this.#rowPointers.length - 1}`);
    const { buffer: columns } = this.#columns;
    const { buffer: values } = this.#values;
    return {
      rowPointers: this.#rowPointers,
      columns: new Int32Array(columns, 0, this.#entries),
      values: new Float32Array(values, 0, this.#entries),
    };
  }
}
