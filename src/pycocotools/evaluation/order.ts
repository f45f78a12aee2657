/** Stable orders of detections, in time linear in their number. */

/** 0, 1, .. count - 1 */
export function upTo(count: number): Int32Array {
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = i;
  return numbers;
}

/** The positions in `order`, stably by ascending key. @param count of different keys */
export function countingSort(
  order: Int32Array,
  keys: Int32Array,
  count: number,
): { sorted: Int32Array; start: Int32Array } {
  const start = new Int32Array(count + 1);
  for (let i = 0; i < order.length; i++) start[keys[order[i]] + 1]++;
  for (let k = 1; k <= count; k++) start[k] += start[k - 1];
  const next = start.slice();
  const sorted = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) sorted[next[keys[order[i]]]++] = order[i];
  return { sorted, start };
}

const DIGIT = 11;
const DIGITS = 2 ** DIGIT;
/** Below, comparing is faster than counting. */
const FEW = 512;

/** The positions in `order`, stably by descending score, as numpy's merge sort of the negated scores gives them. */
export function sortByScore(order: Int32Array, scores: Float64Array): Int32Array {
  if (order.length < FEW) return order.slice().sort((a, b) => scores[b] - scores[a]);
  const low = new Uint32Array(order.length);
  const high = new Uint32Array(order.length);
  const double = new Float64Array(1);
  const bits = new Uint32Array(double.buffer);
  const [lowWord, highWord] = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];
  for (let i = 0; i < order.length; i++) {
    // Adding 0 makes -0 a 0: they compare as equal.
    double[0] = scores[order[i]] + 0;
    // The bits of a positive double grow with it; those of a negative one fall. All inverted, for descending order.
    const negative = bits[highWord] >>> 31 === 1;
    low[i] = negative ? bits[lowWord] : ~bits[lowWord];
    high[i] = negative ? bits[highWord] : ~bits[highWord] & 0x7fffffff;
  }
  let places: Int32Array = upTo(order.length);
  let spare: Int32Array = new Int32Array(order.length);
  for (const [word, shift] of [
    [low, 0],
    [low, DIGIT],
    [low, 2 * DIGIT],
    [high, 0],
    [high, DIGIT],
    [high, 2 * DIGIT],
  ] as const) {
    const next = new Int32Array(DIGITS + 1);
    for (let i = 0; i < word.length; i++) next[((word[i] >>> shift) & (DIGITS - 1)) + 1]++;
    if (next[((word[0] >>> shift) & (DIGITS - 1)) + 1] === word.length) continue;
    for (let d = 1; d <= DIGITS; d++) next[d] += next[d - 1];
    for (let i = 0; i < places.length; i++) {
      const place = places[i];
      spare[next[(word[place] >>> shift) & (DIGITS - 1)]++] = place;
    }
    [places, spare] = [spare, places];
  }
  for (let i = 0; i < places.length; i++) spare[i] = order[places[i]];
  return spare;
}
