/**
 * The two inner loops of Pillow's bilinear resizing. Both multiply bytes with weights of 22 fractional bits, add in 32 bits,
 * round and clamp to a byte, as typed arrays would do it, nine times as fast.
 *
 * `taps` has for each output pixel two i32: the byte at which its first source pixel lies, and where its weights end. The
 * weights, i32, stand one after the other; each output pixel has at least one.
 */

import {
  add,
  addLanes,
  advance,
  type Code,
  constant,
  count,
  get,
  i32,
  load32,
  load128,
  loadI32,
  loadI32At,
  loadSplat,
  multiplyLanes,
  narrowToI16,
  narrowToU8,
  range,
  set,
  shiftRight,
  store32,
  store128,
  tee,
  until,
  type WasmFunction,
  widenHigh,
  widenHighToI32,
  widenLow,
  widenLowToI32,
} from './wasm.js';

/** Weights never are negative and sum to about 1, so that a sum of weighted bytes fits 31 bits. */
export const WEIGHT_BITS = 22;
const HALF = 1 << (WEIGHT_BITS - 1);

const shifted = (sum: number): Code => [get(sum), i32(WEIGHT_BITS), shiftRight];

/**
 * rows(source, stride, count, target, targetStride, columns, taps, weights): resizes rows of RGB pixels, two at a time, so that
 * weights and loop are shared; an odd count reads and writes one row more. Reads and writes up to a byte behind a row.
 */
function rowsBody(): Code {
  const [source, stride, countRows, target, targetStride, columns, taps, weights] = range(0, 8);
  const [y, x, p, w, end, d, t] = range(8, 7);
  const [sum0, sum1, k] = range(15, 3);
  const accumulate = (sum: number, pixel: Code): Code => [
    [get(sum), pixel, load32, widenLow, widenLowToI32, get(k), multiplyLanes, addLanes, set(sum)],
  ];
  // The fourth byte is overwritten by the next pixel, or lies in the padding of the row.
  const store = (at: Code, sum: number): Code => [
    [at, shifted(sum), tee(sum), get(sum), narrowToI16, tee(sum), get(sum), narrowToU8, store32],
  ];
  return [
    count(y, 2, countRows, [
      [get(target), set(d), get(taps), set(t), get(weights), set(w)],
      count(x, 1, columns, [
        [get(source), get(t), loadI32, add, set(p), get(t), loadI32At(4), set(end)],
        [constant(HALF), tee(sum0), set(sum1)],
        until(w, end, [
          [get(w), loadSplat, set(k)],
          [accumulate(sum0, get(p)), accumulate(sum1, [get(p), get(stride), add])],
          [advance(p, i32(3)), advance(w, i32(4))],
        ]),
        [store(get(d), sum0), store([get(d), get(targetStride), add], sum1)],
        [advance(d, i32(3)), advance(t, i32(8))],
      ]),
      [advance(source, get(stride)), advance(source, get(stride))],
      [advance(target, get(targetStride)), advance(target, get(targetStride))],
    ]),
  ];
}

/** columns(source, target, stride, count, taps, weights): resizes columns of bytes. The stride is that of both, a multiple of 16. */
function columnsBody(): Code {
  const [source, target, stride, countRows, taps, weights] = range(0, 6);
  const [y, x, p, w, end] = range(6, 5);
  const [sum0, sum1, sum2, sum3, bytes, k] = range(11, 6);
  const accumulate = (sum: number, half: Code, quarter: Code): Code => [
    [get(sum), get(bytes), half, quarter, get(k), multiplyLanes, addLanes, set(sum)],
  ];
  return [
    count(y, 1, countRows, [
      [get(taps), loadI32At(4), set(end)],
      count(x, 16, stride, [
        [get(source), get(taps), loadI32, add, get(x), add, set(p)],
        [sum0, sum1, sum2, sum3].map((sum) => [constant(HALF), set(sum)]),
        [get(weights), set(w)],
        until(w, end, [
          [get(p), load128, set(bytes), get(w), loadSplat, set(k)],
          [accumulate(sum0, widenLow, widenLowToI32), accumulate(sum1, widenLow, widenHighToI32)],
          [accumulate(sum2, widenHigh, widenLowToI32), accumulate(sum3, widenHigh, widenHighToI32)],
          [advance(p, get(stride)), advance(w, i32(4))],
        ]),
        [get(target), get(x), add, shifted(sum0), shifted(sum1), narrowToI16],
        [shifted(sum2), shifted(sum3), narrowToI16, narrowToU8, store128],
      ]),
      [get(end), set(weights), advance(taps, i32(8)), advance(target, get(stride))],
    ]),
  ];
}

export const RESIZE: readonly WasmFunction[] = [
  { name: 'rows', parameters: 8, integers: 7, vectors: 3, body: rowsBody() },
  { name: 'columns', parameters: 6, integers: 5, vectors: 6, body: columnsBody() },
];
