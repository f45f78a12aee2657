/**
 * Cosine similarities of two sets of rows, in plain loops over typed arrays.
 *
 * Every number that is loaded serves several products: tiles of 2 x 4 rows stay in registers, blocks of 64 rows in the
 * cache. Each sum runs over the columns in order and in 64 bits, so a result does not depend on the tiles.
 */

const BLOCK = 64;

/** Receives every pair, for each query in ascending order of the rows. */
export type VisitSimilarity = (query: number, row: number, similarity: number) => void;

/**
 * @param queries [m, d]
 * @param rows [n, d]
 * @returns compares the queries first, ..., last - 1 with all rows; the similarity to a row of zeros is 0
 * @throws RangeError when a value is not finite
 */
export function cosineSimilarities(
  queries: Float32Array,
  m: number,
  rows: Float32Array,
  n: number,
  d: number,
): (first: number, last: number, visit: VisitSimilarity) => void {
  const queryScale = inverseNorms('query', queries, m, d);
  const rowScale = inverseNorms('row', rows, n, d);
  const tile = new Float64Array(8);
  return (first, last, visit) => {
    for (let start = 0; start < n; start += BLOCK) {
      const end = Math.min(start + BLOCK, n);
      for (let q = first; q < last; q += 2) {
        const pair = Math.min(2, last - q);
        for (let r = start; r < end; r += 4) {
          products(queries, q * d, (q + pair - 1) * d, rows, r, end - 1, d, tile);
          const count = Math.min(4, end - r);
          for (let i = 0; i < pair; i++) {
            for (let j = 0; j < count; j++) {
              visit(q + i, r + j, tile[4 * i + j] * queryScale[q + i] * rowScale[r + j]);
            }
          }
        }
      }
    }
  };
}

/**
 * Products of two query rows (at offsets x and y) with four rows, into `out`. At an edge the last row is computed
 * again in place of one that does not exist.
 */
function products(
  queries: Float32Array,
  x: number,
  y: number,
  rows: Float32Array,
  row: number,
  lastRow: number,
  d: number,
  out: Float64Array,
): void {
  const r0 = row * d;
  const r1 = Math.min(row + 1, lastRow) * d;
  const r2 = Math.min(row + 2, lastRow) * d;
  const r3 = Math.min(row + 3, lastRow) * d;
  let x0 = 0;
  let x1 = 0;
  let x2 = 0;
  let x3 = 0;
  let y0 = 0;
  let y1 = 0;
  let y2 = 0;
  let y3 = 0;
  for (let i = 0; i < d; i++) {
    const u = queries[x + i];
    const v = queries[y + i];
    const b0 = rows[r0 + i];
    const b1 = rows[r1 + i];
    const b2 = rows[r2 + i];
    const b3 = rows[r3 + i];
    x0 += u * b0;
    x1 += u * b1;
    x2 += u * b2;
    x3 += u * b3;
    y0 += v * b0;
    y1 += v * b1;
    y2 += v * b2;
    y3 += v * b3;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
  out[4] = y0;
  out[5] = y1;
  out[6] = y2;
  out[7] = y3;
}

/** Per row 1 / |row|, 0 for a row of zeros. */
function inverseNorms(what: string, features: Float32Array, count: number, d: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (let i = row * d; i < (row + 1) * d; i++) sum += features[i] * features[i];
    if (!Number.isFinite(sum))
      throw new RangeError(`cosine similarity: ${what} ${row} holds values that are not finite`);
    return sum > 0 ? 1 / Math.sqrt(sum) : 0;
  });
}
