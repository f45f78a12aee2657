/**
 * The two inner loops of the resampler of views: they run about eight times faster than the same loops over typed arrays, and
 * that is most of the cost of a view.
 *
 * Both multiply unsigned bytes with signed 16-bit weights (14 fractional bits, pairs of taps per `dot`), add in 32 bits,
 * round and clamp to a byte. Numbers of taps are padded with zero weights: to four in `rows`, to two in `columns`.
 */

import {
  add,
  addLanes,
  advance,
  type Code,
  constant,
  count,
  dot,
  get,
  INTERLEAVE_HIGH,
  INTERLEAVE_LOW,
  i32,
  less,
  load128,
  load128At,
  loadI32,
  loadSplat,
  narrowToI16,
  narrowToU8,
  range,
  select,
  set,
  shiftRight,
  store32,
  store128,
  subtract,
  tee,
  until,
  type WasmFunction,
  widenHigh,
  widenLow,
} from './wasm.js';

/** Fractional bits of a weight: 1.0 fits a signed 16-bit number with room for a filter's overshoot. */
export const WEIGHT_BITS = 14;
const HALF = 1 << (WEIGHT_BITS - 1);

/**
 * rows(source, stride, count, target, targetStride, columns, starts, weights, weightBytes): resizes rows of RGB pixels,
 * two at a time, so that weights and loop are shared; an odd count reads and writes one row more.
 * starts[x] is the byte offset in a row of output x's first tap, its weights lie at weights + x * weightBytes.
 */
function rowsBody(): Code {
  const [source, stride, countRows, target, targetStride, columns, starts, weights, bytes] = range(0, 9);
  const [y, x, p, w, end, d, s] = range(9, 7);
  const [sum0, sum1, k] = range(16, 3);
  const secondRow: Code = [get(p), get(stride), add];
  // Each channel's bytes of one tap and the next side by side, widened with zeros; the fourth lane is not used.
  const accumulate = (sum: number, row: Code): Code => [
    [get(sum), row, load128At(0), row, load128At(3), INTERLEAVE_LOW, widenLow],
    [get(k), dot, addLanes, set(sum)],
  ];
  // The fourth byte is overwritten by the next pixel, or lies in the padding of the row.
  const store = (at: Code, sum: number): Code => [
    [at, get(sum), i32(WEIGHT_BITS), shiftRight, tee(sum), get(sum), narrowToI16, tee(sum), get(sum)],
    [narrowToU8, store32],
  ];
  return [
    count(y, 2, countRows, [
      [get(target), set(d), get(starts), set(s), get(weights), set(w)],
      count(x, 1, columns, [
        [get(source), get(s), loadI32, add, set(p), constant(HALF), tee(sum0), set(sum1)],
        [get(w), get(bytes), add, set(end)],
        until(w, end, [
          [get(w), loadSplat, set(k), accumulate(sum0, get(p)), accumulate(sum1, secondRow)],
          [advance(p, i32(6)), advance(w, i32(4))],
        ]),
        [store(get(d), sum0), store([get(d), get(targetStride), add], sum1)],
        [advance(d, i32(3)), advance(s, i32(4))],
      ]),
      [advance(source, get(stride)), advance(source, get(stride))],
      [advance(target, get(targetStride)), advance(target, get(targetStride))],
    ]),
  ];
}

/**
 * columns(source, stride, target, targetStride, width, count, starts, weights, weightBytes): resizes columns of bytes.
 * width is in bytes and at least 16; starts[y] is the byte offset of output row y's first tap.
 */
function columnsBody(): Code {
  const [source, stride, target, targetStride, width, countRows, starts, weights, bytes] = range(0, 9);
  const [y, x, p, w, end, last, column] = range(9, 7);
  const [sum0, sum1, sum2, sum3, a, b, k] = range(16, 7);
  const accumulate = (sum: number, half: Code, widen: Code): Code => [
    [get(sum), get(a), get(b), half, widen, get(k), dot, addLanes, set(sum)],
  ];
  const shifted = (sum: number): Code => [get(sum), i32(WEIGHT_BITS), shiftRight];
  return [
    [get(width), i32(16), subtract, set(last)],
    count(y, 1, countRows, [
      count(x, 16, width, [
        // The last block may overlap the one before it.
        [get(x), get(last), get(x), get(last), less, select, set(column)],
        [get(source), get(starts), loadI32, add, get(column), add, set(p)],
        [sum0, sum1, sum2, sum3].map((sum) => [constant(HALF), set(sum)]),
        [get(weights), tee(w), get(bytes), add, set(end)],
        until(w, end, [
          [get(p), load128, set(a), get(p), get(stride), add, tee(p), load128, set(b)],
          [get(w), loadSplat, set(k)],
          [accumulate(sum0, INTERLEAVE_LOW, widenLow), accumulate(sum1, INTERLEAVE_LOW, widenHigh)],
          [accumulate(sum2, INTERLEAVE_HIGH, widenLow), accumulate(sum3, INTERLEAVE_HIGH, widenHigh)],
          [advance(p, get(stride)), advance(w, i32(4))],
        ]),
        [get(target), get(column), add, shifted(sum0), shifted(sum1), narrowToI16],
        [shifted(sum2), shifted(sum3), narrowToI16, narrowToU8, store128],
      ]),
      [advance(target, get(targetStride)), advance(starts, i32(4)), advance(weights, get(bytes))],
    ]),
  ];
}

/** Both loops take nine numbers. */
export const RESAMPLE: readonly WasmFunction[] = [
  { name: 'rows', parameters: 9, integers: 7, vectors: 3, body: rowsBody() },
  { name: 'columns', parameters: 9, integers: 7, vectors: 7, body: columnsBody() },
];
