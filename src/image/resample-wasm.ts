/**
 * The two inner loops of the resampler as a WebAssembly module, assembled here because JavaScript has no SIMD: they run
 * about eight times faster than the same loops over typed arrays, and that is most of the cost of a view.
 *
 * Both multiply unsigned bytes with signed 16-bit weights (14 fractional bits, pairs of taps per `dot`), add in 32 bits,
 * round and clamp to a byte. Numbers of taps are padded with zero weights: to four in `rows`, to two in `columns`.
 * The opcodes are those of the WebAssembly 2.0 core specification, section 5.4.
 */

/** Fractional bits of a weight: 1.0 fits a signed 16-bit number with room for a filter's overshoot. */
export const WEIGHT_BITS = 14;

type Code = readonly (number | Code)[];

// Instructions. Locals are numbers, `at` is the constant offset of a load or store.
const get = (local: number): Code => [0x20, local];
const set = (local: number): Code => [0x21, local];
const tee = (local: number): Code => [0x22, local];
const i32 = (value: number): Code => [0x41, value]; // 0..63: one byte of signed LEB128
const add: Code = [0x6a];
const subtract: Code = [0x6b];
const less: Code = [0x49];
const select: Code = [0x1b];
const loadI32: Code = [0x28, 0, 0];
const simd = (code: number, ...rest: number[]): Code => [0xfd, ...leb(code), ...rest];
const load128At = (at: number): Code => simd(0x00, 0, at);
const load128 = load128At(0);
const loadPair = simd(0x09, 0, 0); // v128.load32_splat: two weights, four times
const store128 = simd(0x0b, 0, 0);
const store32 = simd(0x5a, 0, 0, 0); // lane 0
const constant = (value: number): Code =>
  simd(0x0c, ...new Uint8Array(Int32Array.of(value, value, value, value).buffer));
const shuffle = (...lanes: number[]): Code => simd(0x0d, ...lanes);
const INTERLEAVE_LOW = shuffle(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
const INTERLEAVE_HIGH = shuffle(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
const dot = simd(0xba);
const addLanes = simd(0xae);
const shiftRight = simd(0xac);
const narrowToI16 = simd(0x85);
const narrowToU8 = simd(0x66);
const widenLow = simd(0x89);
const widenHigh = simd(0x8a);

const advance = (local: number, by: Code): Code => [get(local), by, add, set(local)];
/** Runs `body` with `counter` at 0, `step`, ... below `limit`; at least once. */
const count = (counter: number, step: number, limit: number, body: Code): Code => [
  [i32(0), set(counter), 0x03, 0x40, body],
  [get(counter), i32(step), add, tee(counter), get(limit), less, 0x0d, 0, 0x0b],
];
/** Runs `body` until the weight pointer reaches `end`; at least once. */
const untilWeight = (weight: number, end: number, body: Code): Code => [
  [0x03, 0x40, body],
  [get(weight), get(end), less, 0x0d, 0, 0x0b],
];
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
        untilWeight(w, end, [
          [get(w), loadPair, set(k), accumulate(sum0, get(p)), accumulate(sum1, secondRow)],
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
        untilWeight(w, end, [
          [get(p), load128, set(a), get(p), get(stride), add, tee(p), load128, set(b)],
          [get(w), loadPair, set(k)],
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

/** The bytes of the module: exports `memory`, `rows` and `columns`. */
export function resampleModule(): Uint8Array {
  const body = (code: Code, vectors: number): number[] => {
    const bytes = [2, 7, 0x7f, vectors, 0x7b, ...flatten(code), 0x0b];
    return [...leb(bytes.length), ...bytes];
  };
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, bytes: number[]): number[] => [id, ...leb(bytes.length), ...bytes];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 9, ...Array<number>(9).fill(0x7f), 0]), // one type: nine i32, no result
    ...section(3, [2, 0, 0]),
    ...section(5, [1, 0, 1]), // one memory, one page at first
    ...section(7, [3, ...name('memory'), 2, 0, ...name('rows'), 0, 0, ...name('columns'), 0, 1]),
    ...section(10, [2, ...body(rowsBody(), 3), ...body(columnsBody(), 7)]),
  ]);
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function flatten(code: Code): number[] {
  return code.flatMap((item) => (typeof item === 'number' ? [item] : flatten(item)));
}

function range(first: number, length: number): number[] {
  return Array.from({ length }, (_, i) => first + i);
}
